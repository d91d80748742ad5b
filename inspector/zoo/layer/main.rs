//! `async-inspect-zoo-layer PROGRAM [--healthy]`: a program of the zoo on tokio itself, watched by the layer beside another
//! one; `exhibits`, some of each thing that the layer tells of; `ceiling`, more of each than has room; or `merged`, tasks that the drop-in, the runtime's hooks
//! and the layer all tell of; or `asked` and `composed`, the layer alone and among
//! others.
mod ceiling;
mod composed;
mod exhibits;
mod merged;

use std::process::ExitCode;

use tracing_subscriber::{filter::LevelFilter, prelude::*};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, rest @ ..] = &args[..] else { return ExitCode::from(2) };
    // These have subscribers of their own.
    match name.as_str() {
        "asked" => {
            composed::asked();
            return ExitCode::SUCCESS;
        }
        "composed" => {
            composed::among_others();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    tracing_subscriber::registry()
        .with(async_inspect_probe::layer())
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::INFO))
        .init();
    match name.as_str() {
        "ceiling" => ceiling::run(),
        "exhibits" => exhibits::run(),
        "merged" => merged::run(),
        name => {
            if let Err(unknown) = async_inspect_zoo::run(name, rest.iter().any(|arg| arg == "--healthy")) {
                eprintln!("{unknown}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}

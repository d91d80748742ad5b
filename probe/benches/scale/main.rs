//! What the probe takes of its own with many tasks: `cargo bench -p async-inspect-probe --bench scale`.
//!
//! The target (`target.rs`) and each subscriber (`watch.rs`) run in processes of their own; see `../cost/child.rs` for
//! what they say to each other.
#![allow(clippy::unwrap_used, reason = "a benchmark, like a test, has nobody to hand an error to")]

mod ceiling;
mod growth;
mod memory;
mod options;
#[path = "../cost/process.rs"]
mod process;
mod soak;
mod target;
mod usage;
mod watch;

use options::{Job, Options};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--child", args)) = args.split_first().map(|(first, args)| (first.as_str(), args)) {
        let (job, args) = args.split_first().unwrap();
        return match job.as_str() {
            "target" => target::run(args),
            "ceiling" => ceiling::target(args),
            "churn" => soak::target(),
            "things" => memory::target(args),
            "watch" => watch::run(&args[0], args[1].parse().unwrap()),
            _ => panic!("no job {job}"),
        };
    }
    // Only `cargo bench` says `--bench`; test runners build and run this too, or ask what is in it.
    if !args.iter().any(|arg| arg == "--bench") || args.iter().any(|arg| arg == "--test" || arg == "--list") {
        eprintln!("a benchmark, nothing to test: run `cargo bench -p async-inspect-probe --bench scale`");
        return;
    }
    let options = Options::parse(&args).unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    match options.job {
        Job::Growth => growth::print(&options),
        Job::Ceiling => ceiling::print(&options),
        Job::Soak => soak::print(&options),
        Job::Memory => memory::print(&options),
        Job::Hold => growth::hold(&options),
    }
}

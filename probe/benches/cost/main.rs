//! What watching costs: `cargo bench -p async-inspect-probe --bench cost`, one table on stdout.
//!
//! The same operations (`scenarios.rs`) and the same service (`service.rs`) are compiled against plain tokio and against
//! the drop-in, and in `../console` and `../dial9` against others, and run in turns: a round measures each mode once, each
//! in a process of its own. A ratio is the median of the ratios within the rounds, so that a machine that is busy with
//! something else for a while spoils a round's figures, not the comparison.
#![allow(clippy::unwrap_used, reason = "a benchmark, like a test, has nobody to hand an error to")]

mod apart;
mod child;
mod floor;
mod instructions;
mod load;
mod machine;
mod mode;
mod operations;
mod options;
mod process;
mod requests;
mod subscriber;
#[cfg(tokio_unstable)]
mod unwrapped;

/// Against plain tokio.
mod bare {
    use ::tokio;

    use super::child;

    pub(crate) mod scenarios {
        include!("scenarios.rs");
    }
    pub(crate) mod service {
        include!("service.rs");
    }
}

/// Against the drop-in.
mod ours {
    use async_inspect_probe::tokio;

    use super::child;

    pub(crate) mod scenarios {
        include!("scenarios.rs");
    }
    pub(crate) mod service {
        include!("service.rs");
    }
}

use mode::Programs;
use options::Options;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--child", args)) = args.split_first().map(|(first, args)| (first.as_str(), args)) {
        return be_child(args);
    }
    // Only `cargo bench` says `--bench`; test runners build and run this too, or ask what is in it.
    if !args.iter().any(|arg| arg == "--bench") || args.iter().any(|arg| arg == "--test" || arg == "--list") {
        eprintln!("a benchmark, nothing to test: run `cargo bench -p async-inspect-probe --bench cost`");
        return;
    }
    let options = Options::parse(&args).unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    machine::describe();
    if options.instructions {
        instructions::print(&options);
        return;
    }
    floor::print(&options);
    if options.is_only("floor") {
        return;
    }
    let programs = Programs::build(&options);
    let busy = machine::Busy::start();
    operations::print(&options, &programs);
    requests::print(&options, &programs);
    programs.say();
    busy.say();
}

/// Does one piece of work in a process of its own; see `child.rs` for what it says.
fn be_child(args: &[String]) {
    let [job, mode, args @ ..] = args else { panic!("JOB MODE …") };
    // The probe, once started, stays until the process ends.
    let place = match mode.as_str() {
        "started" | "attached" => {
            let probe = async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
            probe.target().to_owned()
        }
        _ => "-".to_owned(),
    };
    match (job.as_str(), mode.as_str()) {
        (operations::OPERATION | operations::UNWRAPPED, "bare") => {
            child::operation(args, &place, bare::scenarios::measure)
        }
        (operations::OPERATION, _) => child::operation(args, &place, ours::scenarios::measure),
        #[cfg(tokio_unstable)]
        (operations::UNWRAPPED, _) => child::operation(args, &place, unwrapped::measure),
        (requests::SERVICE | requests::DENSE, "bare") => {
            child::service(&place, |listener| bare::service::serve(listener, job == requests::DENSE))
        }
        (requests::SERVICE | requests::DENSE, _) => {
            child::service(&place, |listener| ours::service::serve(listener, job == requests::DENSE))
        }
        ("subscriber", target) => subscriber::run(target),
        ("load", port) => load::run(port.parse().unwrap(), args[0].parse().unwrap()),
        _ => panic!("no job {job}"),
    }
}

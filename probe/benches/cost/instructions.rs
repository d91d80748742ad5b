//! Instructions an operation, counted by valgrind: the same on a busy machine as on a quiet one.
use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use crate::{mode::Mode, operations::number, options::Options};

const SCENARIOS: [(&str, usize); 15] = [
    ("poll", 20_000),
    ("spawn-set", 5_000),
    ("spawn-handle", 5_000),
    ("mutex", 20_000),
    ("mutex-contended", 20_000),
    ("rwlock-read", 20_000),
    ("semaphore", 20_000),
    ("semaphore-held", 20_000),
    ("mpsc", 20_000),
    ("mpsc-unbounded", 20_000),
    ("oneshot", 20_000),
    ("broadcast", 20_000),
    ("watch", 20_000),
    ("notify", 20_000),
    ("live", 5_000),
];

/// Counts and prints what is wanted, for one worker.
pub(crate) fn print(options: &Options) {
    println!("\ninstructions an operation, one worker\n");
    println!("{:18} {:>8} {:>8} {:>8} {:>8} {:>8}", "operation", "bare", "dormant", "more", "started", "more");
    for (scenario, operations) in SCENARIOS {
        if !options.wants(scenario) {
            continue;
        }
        let count = |mode| match (run(mode, scenario, operations), run(mode, scenario, operations * 3)) {
            (Ok(few), Ok(many)) => (many - few) / (operations * 2) as f64,
            (Err(why), _) | (_, Err(why)) => {
                eprintln!("not counted: {why}");
                std::process::exit(1);
            }
        };
        let [bare, dormant, started] = [Mode::Bare, Mode::Dormant, Mode::Started].map(count);
        println!(
            "{scenario:18} {:>8} {:>8} {:>8} {:>8} {:>8}",
            number(bare, 0),
            number(dormant, 0),
            number(dormant - bare, 0),
            number(started, 0),
            number(started - bare, 0),
        );
    }
}

/// Instructions of a whole process with that many operations.
fn run(mode: Mode, scenario: &str, operations: usize) -> Result<f64, String> {
    let mut child = Command::new("valgrind")
        // Not from the start: how long the probe calibrates its clock differs from start to start.
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--zero-before=*child::measured*"])
        .arg(std::env::current_exe().map_err(|error| error.to_string())?)
        .args(["--child", "operation", mode.name(), scenario, "1", &operations.to_string()])
        .env_remove(async_inspect_probe::ENVIRONMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("valgrind does not run: {error}"))?;
    child.stdin.take().unwrap().write_all(b"go\n").map_err(|error| error.to_string())?;
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| format!("valgrind did not say how many:\n{said}"))
}

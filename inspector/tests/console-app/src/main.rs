//! A service with some faults, and its healthy twin, under a stock console-subscriber. A guilty line ends in
//! `// <- fault: RULE`; the test finds the expected line by it.
#[cfg(not(tokio_unstable))]
compile_error!("console-subscriber needs RUSTFLAGS=\"--cfg tokio_unstable\"; the test sets it");

mod faulty;
mod healthy;
mod stuck;

use std::io::Read;

fn main() {
    // Where it listens is in TOKIO_CONSOLE_BIND, as with any program.
    console_subscriber::init();
    // It ends with the test that started it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("the system gives threads");
    match std::env::args().nth(1).as_deref() {
        Some("faulty") => runtime.block_on(faulty::run()),
        Some("stuck") => runtime.block_on(stuck::run()),
        Some("healthy") => runtime.block_on(healthy::run()),
        other => panic!("faulty, stuck or healthy, not {other:?}"),
    }
}

//! The measured side of `../cost`, with console-subscriber 0.5 listening and nobody attached.
#[cfg(not(tokio_unstable))]
compile_error!(
    "console-subscriber needs RUSTFLAGS=\"--cfg tokio_unstable\"; `cargo bench -p async-inspect-probe` sets it"
);

#[path = "../../cost/child.rs"]
mod child;

mod scenarios {
    include!("../../cost/scenarios.rs");
}

mod service {
    include!("../../cost/service.rs");
}

use ::tokio;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // A free port: the subscriber panics, and leaves the app unwatched, where its port is taken.
    console_subscriber::ConsoleLayer::builder().server_addr(([127, 0, 0, 1], 0)).init();
    match args.split_first() {
        Some((job, _)) if job == "service" => child::service("-", service::serve),
        Some((job, args)) if job == "operation" => child::operation(args, "-", scenarios::measure),
        _ => panic!("operation SCENARIO WORKERS OPERATIONS, or service"),
    }
}

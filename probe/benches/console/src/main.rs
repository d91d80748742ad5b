//! The measured side of `../cost`, with console-subscriber 0.5 listening and nobody attached; and the crowd that the stock
//! tokio-console is measured on.
#[cfg(not(tokio_unstable))]
compile_error!(
    "console-subscriber needs RUSTFLAGS=\"--cfg tokio_unstable\"; `cargo bench -p async-inspect-probe --bench cost` sets it"
);

#[path = "../../cost/child.rs"]
mod child;

mod scenarios {
    include!("../../cost/scenarios.rs");
}

mod service {
    include!("../../cost/service.rs");
}

#[allow(dead_code, reason = "the rest is the zoo's")]
#[path = "../../../../inspector/zoo/src/crowd.rs"]
mod crowd;

use ::tokio;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let subscriber = console_subscriber::ConsoleLayer::builder();
    if let [job, tasks, address] = args.as_slice()
        && job == "crowd"
    {
        subscriber.server_addr(address.parse::<std::net::SocketAddr>().unwrap()).init();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        return runtime.block_on(crowd::crowd(tasks.parse().unwrap())).unwrap();
    }
    // A free port: the subscriber panics, and leaves the app unwatched, where its port is taken.
    subscriber.server_addr(([127, 0, 0, 1], 0)).init();
    match args.split_first() {
        Some((job, _)) if job == "service" => child::service("-", service::serve),
        Some((job, args)) if job == "operation" => child::operation(args, "-", scenarios::measure),
        _ => panic!("operation SCENARIO WORKERS OPERATIONS, service, or crowd TASKS ADDRESS"),
    }
}

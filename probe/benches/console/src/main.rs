//! The measured side of `../cost` that is told by `tracing`: with console-subscriber 0.5 listening, with the probe's own
//! layer, with one that does nothing, or with an empty registry, and nobody attached; and the crowd that the stock
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
use tracing::{Metadata, subscriber::Interest};
use tracing_subscriber::{Layer, Registry, prelude::*};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["crowd", tasks, address] => {
            let subscriber = console_subscriber::ConsoleLayer::builder();
            subscriber.server_addr(address.parse::<std::net::SocketAddr>().unwrap()).init();
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let tasks = tasks.parse().unwrap();
            runtime.block_on(crowd::crowd(crowd::Crowd { tasks, polled: tasks, with_things: 0 })).unwrap();
        }
        // What `tracing` itself takes: tokio tells, and nobody keeps anything but the spans.
        ["registry", job @ ..] => {
            tracing_subscriber::registry().init();
            measure(job);
        }
        // What nobody goes below who is told of polls and wakes by `tracing`.
        ["idle", job @ ..] => {
            tracing_subscriber::registry().with(Idle).init();
            measure(job);
        }
        ["layer", job @ ..] => {
            async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
            tracing_subscriber::registry().with(async_inspect_probe::layer()).init();
            measure(job);
        }
        job => {
            // A free port: the subscriber panics, and leaves the app unwatched, where its port is taken.
            console_subscriber::ConsoleLayer::builder().server_addr(([127, 0, 0, 1], 0)).init();
            measure(job);
        }
    }
}

/// A layer that is told of polls and wakes, refuses all else, and does nothing.
struct Idle;

impl Layer<Registry> for Idle {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.name() == "runtime.spawn" || metadata.target() == "tokio::task::waker" {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

fn measure(job: &[&str]) {
    match job {
        [service @ ("service" | "dense-service")] => {
            child::service("-", |listener| service::serve(listener, *service == "dense-service"))
        }
        ["operation", args @ ..] => {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            child::operation(&args, "-", scenarios::measure)
        }
        _ => panic!(
            "[layer | idle | registry] operation SCENARIO WORKERS OPERATIONS, the same with service or dense-service, or crowd TASKS ADDRESS"
        ),
    }
}

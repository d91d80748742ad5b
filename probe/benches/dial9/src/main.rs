//! The measured side of `../cost` with dial9-tokio-telemetry 0.5: all of its hooks, tracked tasks, its buffer in memory.
#[cfg(not(tokio_unstable))]
compile_error!(
    "dial9's hooks need RUSTFLAGS=\"--cfg tokio_unstable\"; `cargo bench -p async-inspect-probe --bench cost` sets it"
);

#[allow(dead_code, reason = "the service is not measured here")]
#[path = "../../cost/child.rs"]
mod child;

#[allow(dead_code, reason = "only polls and spawns go through it")]
mod scenarios {
    include!("../../cost/scenarios.rs");
}

/// tokio as dial9's guide has it: its own `spawn`, and a runtime that it has attached to.
mod tokio {
    pub(crate) use ::tokio::*;
    pub(crate) use dial9_tokio_telemetry::spawn;

    pub(crate) mod runtime {
        use std::io;

        use ::tokio::runtime::{Builder as Tokios, Runtime};
        use dial9_tokio_telemetry::telemetry::{Dial9HandleTokioExt, MemoryBuffer, TokioAttachOptions, recorder};

        /// What a process may keep of its trace, in bytes; as much as the probe's own ceiling.
        const BUFFER: u64 = 64 * 1024 * 1024;

        pub(crate) struct Builder(Tokios);

        impl Builder {
            pub(crate) fn new_multi_thread() -> Self {
                Self(Tokios::new_multi_thread())
            }

            pub(crate) fn worker_threads(mut self, workers: usize) -> Self {
                self.0.worker_threads(workers);
                self
            }

            pub(crate) fn enable_all(mut self) -> Self {
                self.0.enable_all();
                self
            }

            pub(crate) fn build(self) -> io::Result<Runtime> {
                let recorder = recorder(MemoryBuffer::new(BUFFER)?).build();
                let options = TokioAttachOptions::builder().task_tracking_enabled(true).build();
                let runtime = recorder.handle().attach_tokio_runtime(self.0, options);
                // It records until the process ends.
                std::mem::forget(recorder);
                runtime.map_err(io::Error::other)
            }
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((job, args)) if job == "operation" => child::operation(args, "-", scenarios::measure),
        _ => panic!("operation SCENARIO WORKERS OPERATIONS"),
    }
}

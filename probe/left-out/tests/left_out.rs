//! The drop-ins do what tokio, tokio-util and tokio-stream do where a group of what they wrap is left out, while everything else
//! is recorded.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]

#[path = "../../tests/behaviour/mod.rs"]
mod behaviour;
#[path = "../../tokio/tests/rename.rs"]
mod rename;
#[path = "../../tokio-stream/tests/rename.rs"]
mod rename_stream;
#[path = "../../tokio-util/tests/rename.rs"]
mod rename_util;

pub(crate) fn start() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
    });
}

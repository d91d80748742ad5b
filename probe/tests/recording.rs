//! The drop-in does what tokio does, while everything is recorded.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
mod behaviour;

fn start() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
    });
}

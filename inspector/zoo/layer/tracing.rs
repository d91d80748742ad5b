//! The drop-in passes the tests that tokio has of what asks for `--cfg tokio_unstable` and its feature `tracing`: while nothing
//! is recorded, and while everything is. Here, and not in the package of the other tests (`probe/conformance`), since this one
//! is built with both anyway.
#![cfg(tokio_unstable)]
#![allow(warnings, reason = "it is others' code, for another package")]

#[path = "../../../probe/conformance/tests/recorded/mod.rs"]
mod recorded;

include!(concat!(env!("OUT_DIR"), "/tracing.rs"));

#[test]
fn all_of_them_pass_while_everything_is_recorded() {
    recorded::again();
}

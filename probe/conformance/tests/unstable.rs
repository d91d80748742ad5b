//! The drop-in passes the tests that tokio has of what there is under `--cfg tokio_unstable` only: while nothing is recorded,
//! and while everything is.
#![cfg(tokio_unstable)]
#![allow(warnings, reason = "it is others' code, for another package")]

mod recorded;

include!(concat!(env!("OUT_DIR"), "/unstable.rs"));

#[test]
fn all_of_them_pass_while_everything_is_recorded() {
    recorded::again();
}

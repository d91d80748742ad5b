//! The drop-ins pass the tests that tokio, tokio-util and tokio-stream have of what they wrap: while nothing is recorded, and
//! while everything is.
// Under the flag, only what there is more (`unstable.rs`): the rest is the same code.
#![cfg(not(tokio_unstable))]
#![allow(warnings, reason = "it is others' code, for another package")]
// For a `select!` of more than 50 branches, as the documentation of the drop-in says.
#![recursion_limit = "256"]

mod recorded;

include!(concat!(env!("OUT_DIR"), "/behaviour.rs"));

#[test]
fn all_of_them_pass_while_everything_is_recorded() {
    recorded::again();
}

//! What panics does so in the name of its caller, as the tests of tokio, tokio-util and tokio-stream say.
#![allow(warnings, reason = "it is others' code, for another package")]

include!(concat!(env!("OUT_DIR"), "/panics.rs"));

//! The drop-ins pass the tests that tokio, tokio-util and tokio-stream have of what they wrap: while nothing is recorded, and
//! while everything is.
#![allow(warnings, reason = "it is others' code, for another package")]
// For a `select!` of more than 50 branches, as the documentation of the drop-in says.
#![recursion_limit = "256"]

include!(concat!(env!("OUT_DIR"), "/behaviour.rs"));

#[test]
fn all_of_them_pass_while_everything_is_recorded() {
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    // Most of their time, they sleep.
    again.args(["--skip", "all_of_them_pass", "--test-threads", "8"]).env("ASYNC_INSPECT", "127.0.0.1:0");
    let output = again.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{}{}", said[0], said[1]);
    assert!(said[1].contains("async-inspect: listening"), "they were recorded: {}", said[1]);
}

//! The same tests again, with a probe.

/// Runs the tests of this binary but for `all_of_them_pass…`, while everything is recorded.
pub(crate) fn again() {
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    // Most of their time, they sleep.
    again.args(["--skip", "all_of_them_pass", "--test-threads", "8"]).env("ASYNC_INSPECT", "127.0.0.1:0");
    let output = again.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{}{}", said[0], said[1]);
    assert!(said[1].contains("async-inspect: listening"), "they were recorded: {}", said[1]);
}

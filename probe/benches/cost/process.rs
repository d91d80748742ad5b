//! The driver's side of `child.rs`: processes that do one job each.
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A process that does one job.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// A process of a program.
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env_remove(async_inspect_probe::ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout }
    }

    /// Another process of this program.
    pub(crate) fn own(job: &str, args: &[&str]) -> Self {
        Self::start(&std::env::current_exe().unwrap(), &[&["--child", job], args].concat())
    }

    /// The system's number of it.
    #[allow(dead_code, reason = "not all benchmarks ask")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line's words.
    fn words(&mut self) -> Vec<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// Waits for `ready`; what comes after it.
    pub(crate) fn ready(&mut self) -> Vec<String> {
        let mut words = self.words();
        assert!(words.first().is_some_and(|word| word == "ready"), "the child ended before it was ready: {words:?}");
        words.split_off(1)
    }

    pub(crate) fn go(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Ends its stdin.
    #[allow(dead_code, reason = "not all benchmarks do")]
    pub(crate) fn finish(&mut self) {
        self.stdin = None;
    }

    /// The next line, of numbers.
    pub(crate) fn figures(&mut self) -> Vec<f64> {
        let words = self.words();
        assert!(!words.is_empty(), "the child ended without its figures");
        words.iter().map(|word| word.parse().unwrap()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

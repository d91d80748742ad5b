//! Programs of the zoo as processes of their own, watched over their probe's socket.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

#[path = "../common/address.rs"]
mod address;

pub(crate) use address::free_address;
use async_inspect_cli::{
    app::{App, Depth, Options},
    lints::{Finding, FindingKey, RULES, Settings, Severity},
    source::{self, Address, Connection},
    view,
    watch::Watch,
};
use async_inspect_zoo::LEASH;
use ratatui::{Terminal, backend::TestBackend, buffer::Cell};

static TURNS: RwLock<()> = RwLock::new(());

/// The tests of one binary take turns: a machine that is busy with another test makes long polls of short ones, and
/// says so truthfully.
pub(crate) fn turn() -> impl Drop {
    TURNS.write().unwrap_or_else(PoisonError::into_inner)
}

/// A turn beside others of its kind: for a test whose programs hardly compute, and that may come late.
pub(crate) fn turn_beside_others() -> impl Drop {
    TURNS.read().unwrap_or_else(PoisonError::into_inner)
}

/// The binary under test.
pub(crate) fn async_inspect() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_async-inspect"));
    command.env_remove("ASYNC_INSPECT").env_remove("NO_COLOR").env("RUST_BACKTRACE", "0");
    command
}

/// Runs `async-inspect` with these arguments to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    async_inspect().args(args).output().unwrap()
}

/// A program of the zoo, running with a probe; killed when dropped.
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) started: Instant,
    /// Where its probe listens.
    pub(crate) probe: SocketAddr,
    process: Child,
    _leash: Option<ChildStdin>,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Watched {
    pub(crate) fn faulty(name: &str) -> Self {
        Self::faulty_with(name, &[])
    }

    pub(crate) fn healthy(name: &str) -> Self {
        Self::healthy_with(name, &[])
    }

    /// With these in its environment as well.
    pub(crate) fn healthy_with(name: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_with(&format!("{name} (healthy)"), &[name, "--healthy"], environment)
    }

    /// With these in its environment as well.
    pub(crate) fn faulty_with(name: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_with(name, &[name], environment)
    }

    fn start_with(name: &str, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = async_inspect();
        Self::start_by(command.arg("zoo-program").args(args).envs(environment.iter().copied()), name, free_address())
    }

    pub(crate) fn start(name: &str, args: &[&str], probe: SocketAddr) -> Self {
        Self::start_by(async_inspect().arg("zoo-program").args(args), name, probe)
    }

    /// Another binary than the one under test, with all its arguments.
    pub(crate) fn start_by(command: &mut Command, name: &str, probe: SocketAddr) -> Self {
        let started = Instant::now();
        let mut process = command
            .env("ASYNC_INSPECT", probe.to_string())
            .env(LEASH, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = collect(process.stdout.take().unwrap());
        let stderr = collect(process.stderr.take().unwrap());
        let leash = process.stdin.take();
        Self { name: name.to_owned(), started, probe, process, _leash: leash, stdout, stderr }
    }

    pub(crate) fn address(&self) -> Address {
        self.probe.to_string().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// What it wrote to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// The address after `listening on` on its standard output.
    pub(crate) fn listens_on(&self) -> SocketAddr {
        wait_for("the service to say where it listens", || {
            self.stdout.lock().unwrap().lines().find_map(|line| line.strip_prefix("listening on ")?.parse().ok())
        })
    }

    /// Attaches to it, as soon as it answers.
    pub(crate) async fn attach(&self) -> Attached {
        let mut last = None;
        while self.started.elapsed() < Duration::from_secs(30) {
            match source::open(&self.address()).await {
                Ok(connection) => return Attached::new(self, connection),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}: no probe at {}: {last:?}; it wrote:\n{}", self.name, self.probe, self.stderr());
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.kill();
    }
}

fn collect(from: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    text
}

/// Asks until there is an answer, for at most half a minute.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "waited 30 s for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The model of a program, and the rules' judgement of it, kept up to date.
pub(crate) struct Attached {
    name: String,
    since: Instant,
    pub(crate) watch: Watch,
    /// Every warning and alarm that was ever active, and what rules said that never say worse than info, with the time from the program's start to the first sight of it.
    pub(crate) seen: HashMap<FindingKey, (Duration, Finding)>,
}

impl Attached {
    fn new(program: &Watched, connection: Connection) -> Self {
        let watch = Watch::new(connection, Settings::default());
        Self { name: program.name.clone(), since: program.started, watch, seen: HashMap::new() }
    }

    /// Takes one update.
    pub(crate) async fn step(&mut self) {
        if let Err(error) = self.watch.step().await {
            panic!("{}: {error}", self.name);
        }
        for finding in self.watch.judged.engine.findings().iter().filter(|finding| noted(finding) && finding.active()) {
            self.seen.entry(finding.key()).or_insert_with(|| (self.since.elapsed(), finding.clone()));
        }
    }

    /// Watches until this long after the program's start.
    pub(crate) async fn watch_until(&mut self, after_start: Duration) {
        while self.since.elapsed() < after_start {
            self.step().await;
        }
    }

    /// Watches for so long from now on.
    pub(crate) async fn watch_for(&mut self, long: Duration) {
        self.watch_until(self.since.elapsed() + long).await;
    }

    /// The finding of a rule that lasts, whatever its severity.
    pub(crate) fn active_of(&self, rule: &str) -> Option<&Finding> {
        self.watch.judged.engine.findings().iter().find(|finding| finding.rule == rule && finding.active())
    }

    /// What an operator reads now who has just connected, on a terminal of 80x24: a line each.
    pub(crate) fn overview(&self) -> String {
        let mut app =
            App::new(&self.watch.judged.model.target.address, &view::SCREENS, Options::default(), Depth::None);
        app.show(self.watch.judged.model.clone(), &self.watch.judged.engine);
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| view::draw(&app, frame)).unwrap();
        let cells = terminal.backend().buffer().content().chunks(80);
        let lines = cells.map(|line| line.iter().map(Cell::symbol).collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The warnings and alarms that last.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Finding> {
        self.watch.judged.engine.findings().iter().filter(|finding| serious(finding) && finding.active())
    }
}

pub(crate) fn serious(finding: &Finding) -> bool {
    finding.severity >= Severity::Warn
}

/// Serious, or as serious as its rule ever is.
fn noted(finding: &Finding) -> bool {
    serious(finding) || RULES.iter().any(|rule| rule.id == finding.rule && rule.severity == Severity::Info)
}

/// Whether a place is in that line, at whatever column: some code of a line has none.
pub(crate) fn is_in_line(place: &str, file: &str, line: u32) -> bool {
    let after = place.strip_prefix(&format!("{file}:{line}"));
    after.is_some_and(|after| after.is_empty() || after.starts_with(':'))
}

/// A finding in full, for the message of a test that fails.
pub(crate) fn describe(finding: &Finding) -> String {
    let mut text = format!(
        "{} {} at {}: {} [{}]",
        finding.severity, finding.rule, finding.subject.location, finding.message, finding.subject.name
    );
    for evidence in &finding.evidence {
        let _ = write!(text, "\n      {} = {} {}", evidence.name, evidence.text, evidence.limit);
    }
    text
}

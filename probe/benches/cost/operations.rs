//! The table of operations.
use std::io::{IsTerminal, Write};

use crate::{
    machine::Patience,
    mode::{MODES, Measured, Mode, Programs},
    options::Options,
};

/// What a process is told to measure: an operation of the tokio that it is built against.
pub(crate) const OPERATION: &str = "operation";
/// One of plain tokio, on the runtime of the other: tasks that nobody wraps.
pub(crate) const UNWRAPPED: &str = "unwrapped";

struct Row {
    job: &'static str,
    scenario: &'static str,
    about: &'static str,
    /// In one process.
    operations: usize,
    /// Under console-subscriber, which takes so long, and so much memory, that it gets fewer.
    console_operations: usize,
}

const fn row(scenario: &'static str, about: &'static str, operations: usize, console_operations: usize) -> Row {
    Row { job: OPERATION, scenario, about, operations, console_operations }
}

const ROWS: &[Row] = &[
    row("poll", "poll", 10_000_000, 800_000),
    row("spawn-set", "spawn + join, JoinSet", 600_000, 3_000),
    row("spawn-handle", "spawn + join, JoinHandle", 600_000, 3_000),
    row("spawn-handle-64", "spawn + join, of 64 bytes", 600_000, 3_000),
    row("spawn-blocking", "spawn_blocking + join", 40_000, 2_000),
    row("mutex", "mutex", 5_000_000, 20_000),
    row("mutex-contended", "mutex, 8 contend", 2_000_000, 10_000),
    row("rwlock-read", "RwLock, read", 4_000_000, 20_000),
    row("semaphore", "semaphore", 4_000_000, 20_000),
    row("semaphore-held", "semaphore, 32 hold it", 4_000_000, 20_000),
    row("mpsc", "mpsc, capacity 128", 4_000_000, 40_000),
    row("mpsc-unbounded", "mpsc unbounded", 5_000_000, 1_000_000),
    row("oneshot", "oneshot", 2_000_000, 20_000),
    row("broadcast", "broadcast", 4_000_000, 200_000),
    row("watch", "watch", 4_000_000, 200_000),
    row("notify", "notify, two tasks", 2_000_000, 100_000),
    row("sleep", "sleep, given up", 2_000_000, 20_000),
    row("each-spawn", "spawn + join, each task", 600_000, 3_000),
    row("each-mutex", "mutex, each task its own", 5_000_000, 20_000),
    row("each-new-mutex", "new mutex, used once, each", 2_000_000, 10_000),
    row("each-new-mpsc", "new mpsc, one message, each", 600_000, 10_000),
    row("each-oneshot", "oneshot, each task", 2_000_000, 20_000),
    row("shared-rwlock", "RwLock, read by all", 2_000_000, 20_000),
    row("shared-semaphore", "semaphore, acquired by all", 2_000_000, 20_000),
    row("shared-mpsc", "mpsc, sent by all", 2_000_000, 40_000),
    row("live", "live tasks, spawned", 100_000, 10_000),
    row("live-locks", "live locks, used once", 100_000, 10_000),
    row("live-rwlocks", "live RwLocks, used once", 100_000, 10_000),
    row("live-semaphores", "live semaphores, used once", 100_000, 10_000),
    row("live-channels", "live channels, used once", 100_000, 10_000),
    #[cfg(tokio_unstable)]
    Row { job: UNWRAPPED, ..row("poll", "poll, told by hooks", 10_000_000, 0) },
    #[cfg(tokio_unstable)]
    Row { job: UNWRAPPED, ..row("spawn-handle", "spawn + join, told by hooks", 600_000, 0) },
];

/// All but the second bare, which is the service's.
const COLUMNS: &[Mode] = Mode::ALL.split_at(MODES - 1).0;

/// Scenarios of what dial9 records.
const DIAL9: [&str; 2] = ["poll", "spawn-handle"];

/// Scenarios of which console-subscriber is told nothing, since tokio's `tracing` tells nothing of them: it adds next to
/// nothing there, and a part of that is noise.
const UNTOLD: [&str; 3] = ["mpsc-unbounded", "broadcast", "watch"];

/// Modes of which is told what each of those takes that stay.
const MEMORY: [Mode; 3] = [Mode::Bare, Mode::Started, Mode::Attached];

/// What one process told of one operation.
#[derive(Clone, Copy)]
struct Figures {
    ns: f64,
    rss_kib: f64,
    /// Bytes that one more takes of those that stay; NaN where none do.
    each_bytes: f64,
}

/// Measures and prints what is wanted.
pub(crate) fn print(options: &Options, programs: &Programs) {
    let mut patience = Patience::new(options.patience);
    let mut header = true;
    for workers in [2, 1] {
        for row in ROWS {
            let name = format!("{}, {workers} worker{}", row.about, if workers == 1 { "" } else { "s" });
            if !options.wants(&name) && !options.wants(row.scenario) {
                continue;
            }
            if std::mem::take(&mut header) {
                print_header(options);
            }
            progress(&name);
            let rounds: Vec<_> = (0..options.rounds)
                .map(|round| {
                    patience.wait();
                    Mode::round(round, |mode| measure(mode, row, workers, options.percent, programs))
                })
                .collect();
            print_row(&name, UNTOLD.contains(&row.scenario), &rounds);
            if row.scenario.starts_with("live") {
                print_memory(&rounds);
            }
        }
    }
}

fn measure(mode: Mode, row: &Row, workers: usize, percent: usize, programs: &Programs) -> Option<Figures> {
    let operations = match mode {
        Mode::Dial9 if !DIAL9.contains(&row.scenario) => return None,
        Mode::Again => return None,
        Mode::Registry | Mode::Idle | Mode::Layer | Mode::Console | Mode::Dial9 if row.job == UNWRAPPED => return None,
        Mode::Console => row.console_operations,
        Mode::Layer | Mode::Idle | Mode::Registry => row.operations / 5,
        _ => row.operations,
    };
    // Memory for each is told of many only, in short rounds too.
    let lives = row.scenario.starts_with("live");
    let percent = if lives && mode != Mode::Console { 100 } else { percent };
    let operations = operations * percent / 100;
    let mut figures = run(mode, row, workers, operations, programs)?;
    if lives && MEMORY.contains(&mode) {
        // What the process takes with none of them falls out.
        let few = run(mode, row, workers, operations / 5, programs)?;
        figures.each_bytes = (figures.rss_kib - few.rss_kib) * 1024.0 / (operations - operations / 5) as f64;
    }
    Some(figures)
}

fn run(mode: Mode, row: &Row, workers: usize, operations: usize, programs: &Programs) -> Option<Figures> {
    let args = [row.scenario, &workers.to_string(), &operations.to_string()];
    let mut measured = Measured::start(mode, row.job, &args, programs)?;
    measured.process.go();
    let figures = measured.process.figures();
    Some(Figures { ns: figures[0], rss_kib: figures[1], each_bytes: f64::NAN })
}

fn print_header(options: &Options) {
    println!(
        "\nns an operation (time that passed, whatever the workers: two that keep out of each other's way halve it where \
         several tasks are at it, in the rows of each and all), medians of {} rounds; x: times bare, x ours: times started; layer's time: what the layer takes \
         of console-subscriber's; layer's part: what it adds to bare, of what console-subscriber adds, which is told \
         nothing in some | peak RSS in MiB (console-subscriber's after far fewer operations, the layers' and the \
         registry's after a fifth)\n",
        options.rounds
    );
    print!("{:36} {:>8}", "operation", "bare");
    for mode in &COLUMNS[1..] {
        print!(" {:>8} {:>6}", mode.name(), "x");
        if *mode == Mode::Console {
            print!(" {:>6} {:>12} {:>12}", "x ours", "layer's time", "layer's part");
        }
    }
    print!("  |");
    for mode in COLUMNS {
        print!(" {:>8}", mode.name());
    }
    println!();
}

fn print_row(name: &str, untold: bool, rounds: &[[Option<Figures>; MODES]]) {
    progress("");
    let ns = |mode: Mode| median(rounds, |round| Some(round[mode as usize]?.ns));
    let ratio = |mode: Mode, to: Mode| median(rounds, |round| Some(round[mode as usize]?.ns / round[to as usize]?.ns));
    print!("{name:36} {:>8}", number(ns(Mode::Bare), 1));
    for &mode in &COLUMNS[1..] {
        let decimals = usize::from(mode != Mode::Console);
        print!(" {:>8} {:>6}", number(ns(mode), decimals), number(ratio(mode, Mode::Bare), decimals + 1));
        if mode == Mode::Console {
            let time = ratio(Mode::Layer, mode);
            let part = (ratio(Mode::Layer, Mode::Bare) - 1.0) / (ratio(mode, Mode::Bare) - 1.0);
            let percent = |part: f64| if part.is_nan() { "-".to_owned() } else { format!("{:.0} %", part * 100.0) };
            let part = if untold { "told nothing".to_owned() } else { percent(part) };
            print!(" {:>6} {:>12} {:>12}", number(ratio(mode, Mode::Started), 1), percent(time), part);
        }
    }
    print!("  |");
    for &mode in COLUMNS {
        print!(" {:>8}", number(median(rounds, |round| Some(round[mode as usize]?.rss_kib / 1024.0)), 0));
    }
    println!();
}

fn print_memory(rounds: &[[Option<Figures>; MODES]]) {
    let more = |mode: Mode| {
        let each = |round: &[Option<Figures>; MODES], mode: Mode| Some(round[mode as usize]?.each_bytes);
        number(median(rounds, |round| Some(each(round, mode)? - each(round, Mode::Bare)?)), 0)
    };
    let (started, attached) = (more(Mode::Started), more(Mode::Attached));
    println!("{:36} {started} bytes more for each one more than bare when started, {attached} when attached", "");
}

/// Says on a terminal what is being measured, for as long as it is.
pub(crate) fn progress(what: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{what} …\r");
    }
}

/// The median of what `of` says of each round; NaN when it says nothing of any.
pub(crate) fn median<T>(rounds: &[T], of: impl Fn(&T) -> Option<f64>) -> f64 {
    let mut values: Vec<f64> = rounds.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// A figure with that many decimals; a dash for none.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.decimals$}") }
}

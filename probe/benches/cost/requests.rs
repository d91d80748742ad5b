//! The tables of services under load.
use crate::{
    machine::Patience,
    mode::{Measured, Mode, Programs},
    operations::{median, number, progress},
    options::Options,
    process::Process,
};

/// Which service a process is.
pub(crate) const SERVICE: &str = "service";
pub(crate) const DENSE: &str = "dense-service";

/// What one process told of its service, and its load of it.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    rss_kib: f64,
    /// CPU time of all of the service's threads, the probe's too, in microseconds a request.
    cpu_us: f64,
}

/// Measures and prints the services that are wanted.
pub(crate) fn print(options: &Options, programs: &Programs) {
    let services = [(SERVICE, "A service"), (DENSE, "A denser service")];
    for (service, title) in services.into_iter().filter(|(service, _)| options.wants(service)) {
        table(service, title, options, programs);
    }
}

fn table(service: &str, title: &str, options: &Options, programs: &Programs) {
    println!(
        "\n{title} under load: 32 connections, one worker, medians of {} rounds of {} s; times and requests/s x bare's; from, \
         to: the least and the most that p99 was in a round, x bare's\n",
        options.service_rounds, options.service_seconds
    );
    println!(
        "{:10} {:>11} {:>6} {:>8} {:>8} {:>6} {:>6} {:>6} {:>15} {:>6} {:>9}",
        "mode", "requests/s", "x", "p50, us", "p99, us", "x", "from", "to", "CPU, us/request", "x", "RSS, MiB"
    );
    let mut patience = Patience::new(options.patience);
    let rounds: Vec<_> = (0..options.service_rounds)
        .map(|round| {
            progress(&format!("{service}, round {}", round + 1));
            patience.wait();
            Mode::round(round, |mode| measure(mode, service, options.service_seconds, programs))
        })
        .collect();
    for mode in Mode::ALL.into_iter().filter(|&mode| rounds.iter().any(|round| round[mode as usize].is_some())) {
        let value = |of: fn(Figures) -> f64| median(&rounds, |round| round[mode as usize].map(of));
        let ratio = |of: fn(Figures) -> f64| {
            median(&rounds, |round| Some(of(round[mode as usize]?) / of(round[Mode::Bare as usize]?)))
        };
        let p99s =
            rounds.iter().filter_map(|round| Some(round[mode as usize]?.p99_us / round[Mode::Bare as usize]?.p99_us));
        println!(
            "{:10} {:>11} {:>6} {:>8} {:>8} {:>6} {:>6} {:>6} {:>15} {:>6} {:>9}",
            mode.name(),
            number(value(|f| f.per_second), 0),
            number(ratio(|f| f.per_second), 3),
            number(value(|f| f.p50_us), 0),
            number(value(|f| f.p99_us), 0),
            number(ratio(|f| f.p99_us), 2),
            number(p99s.clone().fold(f64::NAN, f64::min), 2),
            number(p99s.fold(f64::NAN, f64::max), 2),
            number(value(|f| f.cpu_us), 2),
            number(ratio(|f| f.cpu_us), 2),
            number(value(|f| f.rss_kib / 1024.0), 1),
        );
    }
    println!();
}

fn measure(mode: Mode, service: &str, seconds: f64, programs: &Programs) -> Option<Figures> {
    if mode == Mode::Dial9 {
        return None;
    }
    let mut service = Measured::start(mode, service, &[], programs)?;
    let port = service.said[1].clone();
    let loaded = Process::own("load", &[&port, &seconds.to_string()]).figures();
    let [requests, per_second, p50_us, p99_us] = loaded[..] else { panic!("the load told {loaded:?}") };
    service.process.finish();
    let served = service.process.figures();
    Some(Figures { per_second, p50_us, p99_us, rss_kib: served[1], cpu_us: served[0] / 1000.0 / requests })
}

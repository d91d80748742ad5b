//! What watching takes as tasks and subscribers become more.
use std::{
    io::Read,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{options::Options, process::Process, usage};

/// Prints the table.
pub(crate) fn print(options: &Options) {
    println!(
        "{:>9} {:>8} {:>5} | {:>9} {:>9} {:>9} {:>9} {:>9} | {:>9} {:>9} {:>9}",
        "tasks",
        "active/s",
        "subs",
        "first, s",
        "snap, MB",
        "MB/s",
        "probe, %",
        "gap, ms",
        "alone, %",
        "now, %",
        "RSS, MiB"
    );
    let sizes = [1000, 10_000, 100_000, 1_000_000];
    for tasks in sizes.into_iter().filter(|&tasks| tasks <= options.tasks) {
        row(tasks, options.active.unwrap_or(tasks / 10), 1, options.seconds);
    }
    if options.active.is_none() {
        row(10_000.min(options.tasks), 10_000.min(options.tasks), 1, options.seconds);
    }
    if options.active.is_none() {
        for tasks in sizes.into_iter().filter(|&tasks| tasks <= options.tasks) {
            row(tasks, 0, 1, options.seconds);
        }
    }
    let tasks = 100_000.min(options.tasks);
    for subscribers in [4, 16] {
        row(tasks, options.active.unwrap_or(tasks / 10), subscribers, options.seconds);
    }
    println!(
        "\nfirst: from connecting to the first whole picture | MB/s: each subscriber's messages | probe: its thread's CPU, % of\n\
         a core | gap: the longest time between two updates | alone, now: CPU of the whole target before and while watched"
    );
}

fn row(tasks: usize, active: usize, subscribers: usize, seconds: f64) {
    let mut target = Process::own("target", &[&tasks.to_string(), &active.to_string()]);
    let address = target.ready().remove(0);
    let share = || {
        let (began, before) = (Instant::now(), usage::of(target.id()));
        sleep(Duration::from_secs_f64(seconds / 2.0));
        (usage::of(target.id()).cpu - before.cpu) * 100.0 / began.elapsed().as_secs_f64()
    };
    // What spawning them all has left to do.
    sleep(Duration::from_secs(1));
    let alone = share();
    let mut watching: Vec<_> =
        (0..subscribers).map(|_| Process::own("watch", &[&address, &seconds.to_string()])).collect();
    for watching in &mut watching {
        watching.ready();
    }
    sleep(Duration::from_secs_f64(seconds / 4.0));
    let now = share();
    let told: Vec<_> = watching.iter_mut().map(Process::figures).collect();
    let worst = |i: usize| told.iter().map(|told| told[i]).fold(0.0, f64::max);
    println!(
        "{tasks:>9} {active:>8} {subscribers:>5} | {:>9.2} {:>9.2} {:>9.2} {:>9.1} {:>9.0} | {alone:>9.1} {now:>9.1} {:>9.0}{}",
        worst(0),
        worst(1) / 1e6,
        worst(2) / 1e6,
        worst(3) * 100.0,
        worst(4) * 1000.0,
        usage::of(target.id()).rss_mib,
        if worst(5) > 0.0 { "  (did not keep up)" } else { "" },
    );
}

/// The target alone.
pub(crate) fn hold(options: &Options) {
    let active = options.active.unwrap_or(options.tasks / 10);
    let mut target = Process::own("target", &[&options.tasks.to_string(), &active.to_string()]);
    println!("{} (pid {}), until stdin ends", target.ready().remove(0), target.id());
    let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
}

//! The ceiling of the memory, and what does not fit under it: counted, every one.
use async_inspect_probe::tokio;
use async_inspect_proto::v1;

use crate::{
    options::Options,
    process::Process,
    target, usage,
    watch::{self, Totals},
};

const LIMIT: u64 = 64 * 1024 * 1024;

/// `SHORT LIVE`: spawns so many tasks that end at once, says `ready TARGET`; on `go`, so many that live on, and `ready`.
pub(crate) fn target(args: &[String]) {
    let [short, live] = args else { panic!("SHORT LIVE, not {args:?}") };
    let (short, live): (usize, usize) = (short.parse().unwrap(), live.parse().unwrap());
    let address = target::start(LIMIT);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move {
        let spawning = tokio::spawn(async move {
            for _ in 0..short / 1000 {
                let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(async {})).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            }
        });
        spawning.await.unwrap();
        println!("ready {address}");
        let _ = std::io::stdin().lines().next();
        let spawning = tokio::spawn(async move {
            for _ in 0..live {
                drop(tokio::spawn(std::future::pending::<()>()));
            }
        });
        spawning.await.unwrap();
        println!("ready");
        target::until_stdin_ends();
    });
    std::process::exit(0);
}

/// Prints what is told after each of the two.
pub(crate) fn print(options: &Options) {
    let (short, live) = (options.tasks * 10, options.tasks * 5);
    let mut target = Process::own("short-then-live", &[&short.to_string(), &live.to_string()]);
    let address = target.ready().remove(0);
    println!(
        "{:24} {:>10} {:>10} {:>10} {:>10} {:>12} {:>10} {:>9}",
        "", "spawned", "finished", "shed", "live", "shown", "recorder", "RSS, MiB"
    );
    say(&format!("{short} short tasks"), &address, &target, short);
    target.go();
    target.ready();
    say(&format!("and {live} live ones"), &address, &target, short + live);
}

fn say(what: &str, address: &str, target: &Process, expected: usize) {
    let (totals, shown) = watch::block_on(whole_picture(address));
    let [spawned, finished, shed] = totals.tasks();
    let mib = totals.cost.memory_bytes as f64 / 1024.0 / 1024.0;
    println!(
        "{what:24} {spawned:>10} {finished:>10} {shed:>10} {:>10} {shown:>12} {mib:>6.1} MiB {:>9.0}",
        spawned - finished,
        usage::of(target.id()).rss_mib
    );
    // Beside these there are the root and the two tasks that spawn.
    assert!((expected as u64..=expected as u64 + 3).contains(&spawned), "every task is counted");
    assert_eq!(shed, totals.loss.shed_tasks, "the sites and the whole say the same");
    assert_eq!(spawned - finished - shed, shown as u64, "who is neither shown nor shed has ended");
    assert!(totals.cost.memory_bytes <= LIMIT, "the ceiling holds");
}

/// The totals, and how many tasks that have not ended are shown one by one.
async fn whole_picture(address: &str) -> (Totals, usize) {
    let mut stream = watch::attach(address).await;
    let (mut totals, mut shown, mut complete) = (Totals::default(), std::collections::HashSet::new(), false);
    // One update beyond the snapshot, since it has the sums.
    loop {
        let update = watch::next_unpacked(&mut stream).await;
        totals.add(&update);
        if let Some(states) = &update.task_states {
            for (id, state) in states.id.iter().zip(&states.state) {
                let ended = [v1::TaskState::Done, v1::TaskState::Panicked, v1::TaskState::Cancelled]
                    .map(i32::from)
                    .contains(state);
                if ended {
                    shown.remove(id)
                } else {
                    shown.insert(*id)
                };
            }
        }
        for gone in &update.gone_tasks {
            shown.remove(&gone.cast_signed());
        }
        if complete && update.cost.is_some() {
            return (totals, shown.len());
        }
        complete |= update.snapshot_end;
    }
}

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

/// `SHORT LIVE`: at each `go` the next of the [`STEPS`], and then `ready`; says `ready TARGET` before the first.
pub(crate) fn target(args: &[String]) {
    let [short, live] = args else { panic!("SHORT LIVE, not {args:?}") };
    let (short, live): (usize, usize) = (short.parse().unwrap(), live.parse().unwrap());
    println!("ready {}", target::start(LIMIT));
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (coming, staying) = (runtime(), runtime());
    let come_and_go = || {
        coming.block_on(async move { tokio::spawn(spawn_short(short)).await.unwrap() });
    };
    let mut go = std::io::stdin().lines();
    let mut step = |step: &mut dyn FnMut()| {
        go.next().unwrap().unwrap();
        step();
        println!("ready");
    };
    step(&mut || come_and_go());
    step(&mut || staying.block_on(async move { tokio::spawn(async move { spawn_live(live) }).await.unwrap() }));
    step(&mut || come_and_go());
    let mut staying = Some(staying);
    step(&mut || drop(staying.take()));
    target::until_stdin_ends();
    std::process::exit(0);
}

async fn spawn_short(tasks: usize) {
    for _ in 0..tasks / 1000 {
        let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(async {})).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

fn spawn_live(tasks: usize) {
    for _ in 0..tasks {
        drop(tokio::spawn(std::future::pending::<()>()));
    }
}

/// What is done: what is spawned for it, in shares of the live ones, and how many of those live after it.
const STEPS: [(&str, usize, usize); 4] =
    [("short tasks", 2, 0), ("live ones", 1, 1), ("short ones beside them", 2, 1), ("the live ones end", 0, 0)];

/// Prints what is told after each step.
pub(crate) fn print(options: &Options) {
    let share = options.tasks * 5;
    let mut target = Process::own("ceiling", &[&(share * 2).to_string(), &share.to_string()]);
    let address = target.ready().remove(0);
    println!(
        "{:24} {:>10} {:>10} {:>10} {:>10} {:>12} {:>10} {:>9}",
        "", "spawned", "finished", "shed", "live", "shown", "recorder", "RSS, MiB"
    );
    let (mut spawned, mut hidden) = (0, None);
    for (what, shares, live) in STEPS {
        target.go();
        target.ready();
        // With the root that runs it, and the task that spawns the others.
        spawned += shares * share + if shares > 0 { 2 } else { 0 };
        let (totals, shown) = watch::block_on(whole_picture(&address));
        say(what, &target, &totals, shown);
        let [told, finished, shed] = totals.tasks();
        assert_eq!((told, told - finished), (spawned as u64, (live * share) as u64), "each is counted, and its end");
        assert_eq!(shed, totals.loss.shed_tasks, "the sites and the whole say the same");
        // Nothing is shed before they come, who then stay whether they are shown or not.
        let hidden = if live == 0 { 0 } else { *hidden.get_or_insert(shed) };
        assert_eq!(shown as u64 + hidden, told - finished, "who lives is shown or was shed");
        assert!(totals.cost.memory_bytes <= LIMIT, "the ceiling holds");
    }
}

fn say(what: &str, target: &Process, totals: &Totals, shown: usize) {
    let [spawned, finished, shed] = totals.tasks();
    let mib = totals.cost.memory_bytes as f64 / 1024.0 / 1024.0;
    println!(
        "{what:24} {spawned:>10} {finished:>10} {shed:>10} {:>10} {shown:>12} {mib:>6.1} MiB {:>9.0}",
        spawned - finished,
        usage::of(target.id()).rss_mib
    );
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

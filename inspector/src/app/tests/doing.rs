//! Muting, exporting, the palette, finishing a filter, asking for details.

use crate::app::testing::Driver;
use crate::app::{Effect, Msg, Options, update};
use crate::model::{Frame, Histogram, Suspension, TaskDetails, TaskId};
use crate::source::Event;

#[test]
fn a_muted_finding_marks_nothing_until_it_is_heard_again() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("m");
    let text = driver.text();
    assert!(!text.contains("nightly` has been running") && text.contains("muted until you quit"), "{text}");
    assert!(text.contains("6 Findings 2▲") && text.contains("1 finding muted (6 lists, M unmutes)"), "{text}");
    driver.keys("5");
    assert!(!driver.text().contains('✗'));
    driver.keys("6/word:muted<Enter>");
    assert!(driver.text().contains("blocked-worker"));
    driver.keys("m1");
    assert!(driver.text().contains("6 Findings 1✗"));
    driver.keys("mmM");
    let text = driver.text();
    assert!(text.contains("6 Findings 1✗") && text.contains("nothing is muted any more"), "{text}");
}

#[test]
fn a_finding_is_muted_wherever_it_is_shown() {
    let findings = crate::app::fixture::findings();
    for (keys, muted) in [("3<Enter>m", 1), (":task 17<Enter>m", 0), ("5<Enter>m", 0), ("4<Enter>m", 2)] {
        let mut driver = Driver::shop(80, 24);
        driver.keys(keys);
        for (n, finding) in findings.iter().enumerate() {
            assert_eq!(driver.app.muted(finding), n == muted, "{keys} {}", finding.rule);
        }
        assert!(driver.text().contains("muted until you quit"), "{}", driver.text());
    }
}

#[test]
fn a_key_that_means_nothing_here_says_where_it_does() {
    for (keys, said) in [
        ("1/", "/ (filter) works in tables: 2 to 6"),
        ("3v", "v (grouping) works in Tasks: 2"),
        ("8s", "s (sort) works in tables: 2 to 6"),
        ("3m", "m (mute) works where a finding is shown"),
        ("r", "r (reconnect) works without a connection"),
    ] {
        let mut driver = Driver::shop(80, 24);
        driver.keys(keys);
        assert!(driver.text().contains(said), "{keys}\n{}", driver.text());
        assert_eq!(driver.effects, []);
    }
}

#[test]
fn the_last_line_names_what_is_most_of_use_there() {
    let mut driver = Driver::shop(80, 24);
    let last = |driver: &mut Driver, keys: &str| {
        driver.keys(keys);
        driver.text().lines().last().unwrap_or_default().to_owned()
    };
    for (keys, wanted) in [
        ("1", &["Enter open", "m mute", "n next", ": menu", "Y copy", "? help", "q quit"][..]),
        ("2", &["Enter open", "/ filter", "s sort", "v flat/group", "o expand"]),
        ("3", &["Enter open", "/ filter", "s sort", ": menu"]),
        ("3<Enter>", &["Enter open", "Esc back", "m mute", ": menu"]),
        ("7", &["← earlier", "→ later", "End live", "n change"]),
    ] {
        let line = last(&mut driver, keys);
        assert!(wanted.iter().all(|hint| line.contains(hint)), "{keys}: {line}");
        driver.keys("<Esc><Esc>");
    }
    // Where nothing leads on, nothing is said to open.
    for keys in ["?", "1mmmmmm"] {
        let line = last(&mut driver, keys);
        assert!(!line.contains("open"), "{keys}: {line}");
    }
}

#[test]
fn what_is_said_is_said_whole_and_what_was_muted_can_be_put_into_the_file() {
    let mut driver = Driver::shop(80, 24);
    driver.app.options.config_file = "~/.config/async-inspect/config.toml".into();
    driver.keys("m");
    let said: Vec<_> = driver.text().lines().rev().take(2).map(|line| line.trim().to_owned()).collect();
    assert_eq!(
        format!("{} {}", said[1], said[0]),
        "muted until you quit: m on it in Findings, or M, undoes it; for good: mute = [\"blocked-worker \
         src/report.rs:42\"] in ~/.config/async-inspect/config.toml"
    );
    let path = format!("/tmp/{}.json", "deep/".repeat(20));
    update(&mut driver.app, Msg::Exported(Ok(path.clone())));
    assert!(driver.text().replace("\n ", "").contains(&path), "{}", driver.text());
}

#[test]
fn the_finding_that_was_looked_at_last_is_the_one_that_is_muted() {
    let mut driver = Driver::shop(80, 24);
    let findings = crate::app::fixture::findings();
    driver.keys("jj6jj<Esc>");
    assert_eq!(driver.app.place().screen.id, "overview");
    let looked_at = driver.app.selected().map(|row| row.entity);
    driver.keys("6");
    assert_eq!(driver.app.selected().map(|row| row.entity), looked_at);
    driver.keys("3<Esc>m");
    assert!(driver.app.muted(&findings[0]), "after a list without findings it is the worst");
}

#[test]
fn a_replay_stands_still_with_its_view_and_begins_again_with_both() {
    let mut driver = Driver::shop(80, 24);
    driver.app.recorded = true;
    driver.keys(" ");
    assert_eq!(driver.effects, [Effect::Pause(true)]);
    assert!(driver.text().contains("PAUSED") && driver.text().contains("the replay is paused"), "{}", driver.text());
    driver.keys("  ");
    let error = crate::source::SourceError::Ended {
        target: "night.rec".into(),
        cut_short: false,
        short_of: Some(std::time::Duration::from_secs(12)),
    };
    driver.hear(Event::Ended { error });
    let text = driver.text();
    assert!(text.contains("--from is past its end: night.rec is 12.0 s long"), "{text}");
    assert!(text.contains("r play again"), "{text}");
    driver.keys("r");
    assert!(!driver.app.frozen());
}

#[test]
fn all_muted_is_not_called_all_well_without_saying_so() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("mmmm");
    let text = driver.text();
    assert!(text.contains("No rule fires") && text.contains("4 findings muted"), "{text}");
}

#[test]
fn a_config_file_mutes_by_rule_and_the_end_of_a_path() {
    let heard = |mute: &str| {
        let mut driver = Driver::shop(80, 24);
        driver.app.mutes = crate::app::mute::Mutes::new(&[mute.parse().unwrap()]);
        driver.app.cx().active().count()
    };
    assert_eq!(heard("blocked-worker report.rs:42"), 3);
    assert_eq!(heard("blocked-worker src/report.rs:42"), 3);
    assert_eq!(heard("blocked-worker"), 3);
    assert_eq!(heard("blocked-worker port.rs:42"), 4);
    assert_eq!(heard("long-poll report.rs:42"), 4);
}

#[test]
fn export_asks_for_the_file_and_says_where_it_is() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("e");
    assert!(driver.effects.contains(&Effect::Export));
    update(&mut driver.app, Msg::Exported(Ok("/tmp/state.json".into())));
    assert!(driver.text().contains("/tmp/state.json"));
    update(&mut driver.app, Msg::Exported(Err("the disk is full".into())));
    assert!(driver.text().contains("the disk is full"));
    // Before there is anything to write, nothing is.
    let mut driver = Driver::new(80, 24);
    driver.keys("e");
    assert!(!driver.effects.contains(&Effect::Export));
}

#[test]
fn the_palette_goes_anywhere() {
    for (typed, screen) in [
        (":locks<Enter>", "locks"),
        (":task 17<Enter>", "task"),
        (":#17<Enter>", "task"),
        (":lock ord<Enter>", "lock"),
        (":place_order<Enter>", "site"),
        (":time<Enter>", "timeline"),
        (":help<Enter>", "help"),
    ] {
        let mut driver = Driver::shop(80, 24);
        driver.keys(typed);
        assert_eq!(driver.app.place().screen.id, screen, "{typed}\n{}", driver.text());
    }
    let mut driver = Driver::shop(80, 24);
    driver.keys(":quit<Enter>");
    assert!(driver.effects.contains(&Effect::Quit));
    driver.keys(":no such thing");
    assert!(driver.text().contains("nothing is called so"));
    driver.keys("<Enter>");
    assert!(driver.app.prompt.is_none());
    driver.keys(":theme<Down><Enter>");
    assert!(driver.app.prompt.is_none());
}

#[test]
fn tab_finishes_fields_and_values() {
    for (typed, whole) in [
        ("sta<Tab>", "state:"),
        ("state:run<Tab>", "state:running"),
        ("!sta<Tab>", "!state:"),
        ("nightly maxp<Tab>", "nightly maxpoll>"),
        ("b<Tab>", "busy>"),
        ("zzz<Tab>", "zzz"),
    ] {
        let mut driver = Driver::shop(100, 30);
        driver.keys(&format!("2v/{typed}"));
        assert_eq!(driver.app.prompt.as_ref().unwrap().input.value(), whole);
    }
    let mut driver = Driver::shop(100, 30);
    driver.keys("2v/stat:idle");
    assert!(driver.text().contains("did you mean `state`"));
    driver.keys("<BS><BS><BS><BS><BS><BS><BS><BS><BS>s");
    assert!(driver.text().contains("Tab: state: sched> self>"), "{}", driver.text());
}

#[test]
fn a_task_in_front_is_asked_about_every_two_seconds_and_shows_the_answer() {
    let asked = |driver: &Driver| driver.effects.iter().filter(|e| **e == Effect::Details(TaskId(17))).count();
    let mut driver = Driver::shop(80, 60);
    driver.keys(":task 17<Enter>");
    assert_eq!(asked(&driver), 1);
    driver.keys("jk");
    assert_eq!(asked(&driver), 1);
    assert!(driver.text().contains("They have been asked for.") && !driver.text().contains("p50"));
    let mut details = TaskDetails::default();
    (details.polls.0[1], details.polls.0[14]) = (120, 3);
    let mut delays = Histogram::default();
    (delays.0[4], delays.0[9]) = (95, 5);
    details.delays = Some(delays);
    driver.hear(Event::TaskDetails { task: TaskId(17), details: Some(details.clone()) });
    let text = driver.text();
    assert!(text.contains("p50 <128 µs   p90 <128 µs   p99 <1.05 s   max 2.31 s"), "{text}");
    let of_delays = text.split_once("How long after a wake they come").unwrap().1;
    assert!(of_delays.contains("p50 <1.02 ms   p90 <1.02 ms   p99 <32.8 ms   max 2.30 ms"), "{text}");
    // Another task's answer is not this one's.
    driver.hear(Event::TaskDetails { task: TaskId(5), details: Some(TaskDetails::default()) });
    assert!(driver.text().contains("p50"));
    driver.hear(Event::TaskDetails { task: TaskId(17), details: None });
    assert!(!driver.text().contains("p50"));
}

#[test]
fn a_task_without_histograms_says_why() {
    let says = |words: &str, prepare: &dyn Fn(&mut Driver)| {
        let mut driver = Driver::shop(80, 60);
        prepare(&mut driver);
        driver.keys(":task 17<Enter>");
        let text = driver.text();
        assert!(text.contains("How long its polls take") && text.contains(words), "{words}:\n{text}");
    };
    says("They have been asked for", &|_| {});
    says("Not in a recording", &|driver| driver.app.recorded = true);
    says("The view is frozen; they are asked for once it goes on (Space)", &|driver| driver.keys(" "));
    says("There is no connection", &|driver| {
        let error = crate::source::SourceError::Lost { target: "shop".into(), why: "end of stream".into() };
        driver.hear(Event::Lost { error, retry_in: std::time::Duration::from_secs(3) });
    });
    says("It has not been polled yet", &|driver| {
        driver.keys(":task 17<Enter>");
        driver.hear(Event::TaskDetails { task: TaskId(17), details: Some(TaskDetails::default()) });
    });
}

#[test]
fn a_task_that_sleeps_shows_where_once_that_is_known() {
    let call = |function: &str, location: &str, user| Frame {
        function: function.to_owned(),
        location: location.to_owned(),
        user,
    };
    let calls = vec![
        call("tokio::runtime::io::registration::Registration::poll_ready", "", false),
        call("<tokio::io::util::read::Read as core::future::future::Future>::poll", "", false),
        call("shop::bank::answer", "src/bank.rs:88:14", true),
        call("shop::bank::transfer", "src/bank.rs:40:9", true),
    ];
    let details =
        TaskDetails { suspensions: vec![Suspension { calls }], suspended_polls: 1_000_000, ..TaskDetails::default() };
    let mut driver = Driver::shop(80, 60);
    driver.keys(":task 42<Enter>");
    driver.hear(Event::TaskDetails { task: TaskId(42), details: Some(details) });
    let text = driver.text();
    assert!(text.contains("suspended at  src/bank.rs:88:14"), "{text}");
    assert!(text.contains("waits for     tokio::io::util::read::Read") && text.contains("src/bank.rs:40:9"), "{text}");
}

#[test]
fn keys_of_the_config_file_work_and_are_shown() {
    let mut options = Options::default();
    let keys = ["F5".to_owned()];
    options.bind([("freeze", keys.as_slice())]).unwrap();
    let mut driver = Driver::shop(80, 24);
    driver.app.keys = options.keys;
    driver.keys(" ");
    assert!(!driver.app.frozen());
    driver.keys("<F5>");
    assert!(driver.app.frozen() && driver.text().contains("F5 goes on"), "{}", driver.text());
}

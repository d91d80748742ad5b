//! Every screen, as text and as roles, at three sizes.

use std::time::Duration;

use crate::app::testing::Driver;
use crate::app::{Entity, fixture};
use crate::model::{
    Batch, Frame, Histogram, Lock, LockId, Model, Oneshots, SiteId, Stamp, Suspension, Target, TaskDetails, TaskId,
};
use crate::source::{Event, SourceError};
use crate::view::SCREENS;

/// The keys that lead to each screen.
const WAYS: &[(&str, &str)] = &[
    ("overview", ""),
    ("tasks", "2"),
    ("tasks_flat", "2v"),
    ("tasks_open", "2jo"),
    ("task", "2vj<Enter>"),
    ("site", "2<Enter>"),
    ("locks", "3"),
    ("lock", "3<Enter>"),
    ("semaphore", "3/payments<Enter><Enter>"),
    ("rwlock", "3/prices<Enter><Enter>"),
    ("broadcast", "4/pricechange<Enter><Enter>"),
    ("channels", "4"),
    ("channel", "4<Enter>"),
    ("workers", "5"),
    ("worker", "5<Enter>"),
    ("worker_idle", "5G<Enter>"),
    ("findings", "6"),
    ("finding", "6j<Enter>"),
    ("timeline", "7"),
    ("timeline_back", "7<Left><Left><Left><Left><Left><Left><Left><Left><Left><Left><Left><Left>"),
    ("target", "8"),
    ("help", "?"),
    ("filter", "2/wait>3s lock:orders nonsense:1"),
    ("palette", ":th"),
];

/// The keys that lead to what a deadlock changes.
const BANK: &[(&str, &str)] =
    &[("deadlock", ""), ("deadlock_finding", "<Enter>"), ("deadlock_lock", "3<Enter>"), ("deadlock_task", "2v<Enter>")];

/// Brings a dashboard somewhere.
type Way = fn(&mut Driver);

/// States that keys alone do not lead to.
const STATES: &[(&str, Way)] = &[
    ("stale", |driver| {
        lost(driver);
        driver.wait(Duration::from_secs(12));
    }),
    ("frozen", |driver| driver.keys(" ")),
    ("restarted", |driver| restarted(driver)),
    ("earlier_finding", |driver| {
        restarted(driver);
        driver.keys("6<Enter>");
    }),
    ("task_histograms", |driver| {
        driver.keys("2v/id=6<Enter><Enter>");
        let mut details = TaskDetails { delays: Some(Histogram::default()), ..TaskDetails::default() };
        (details.polls.0[1], details.polls.0[4], details.polls.0[11]) = (120, 4, 1);
        details.delays.iter_mut().for_each(|delays| (delays.0[4], delays.0[9]) = (95, 5));
        driver.hear(Event::TaskDetails { task: TaskId(6), details: Some(details) });
        driver.keys("G");
    }),
    ("task_stack", |driver| {
        driver.keys("2v/id=42<Enter><Enter>");
        let call = |function: &str, location: &str| Frame {
            function: function.into(),
            location: location.into(),
            user: !location.is_empty(),
        };
        let calls = vec![
            call("tokio::runtime::io::registration::Registration::poll_ready", ""),
            call("shop::bank::answer", "src/bank.rs:88:14"),
            call("shop::bank::transfer", "src/bank.rs:40:9"),
        ];
        let suspensions = vec![Suspension { calls }];
        let details = TaskDetails { suspensions, suspended_polls: 1_000_000, ..TaskDetails::default() };
        driver.hear(Event::TaskDetails { task: TaskId(42), details: Some(details) });
    }),
    ("oneshots", |driver| {
        let mut model = fixture::model();
        let site = SiteId(11);
        let mut oneshots = Oneshots { site, made: 9_120, delivered: 9_090, unsent: 30, ..Oneshots::default() };
        (oneshots.unsent_awaited, oneshots.last_unsent_at) = (12, Some(model.now.before(Duration::from_secs(4))));
        (0..60).for_each(|s| oneshots.made_s.push(f64::from(s % 9)));
        model.oneshots.insert(site, oneshots);
        driver.show(model, fixture::findings());
        crate::app::way::open(&mut driver.app, Entity::Site(site));
    }),
    ("locks_of_one_line", |driver| {
        let mut model = fixture::model();
        let one = model.locks[&LockId(2)].clone();
        for id in (1000..11_000).map(LockId) {
            model.locks.insert(id, Lock { id, waiters: u32::from(id.0 % 5000 == 7), ..one.clone() });
        }
        driver.show(model, fixture::findings());
        driver.keys("3");
    }),
];

/// What is lost after a minute and a half.
fn lost(driver: &mut Driver) {
    driver.recall();
    let error = SourceError::Lost { target: "http://127.0.0.1:6670".into(), why: "end of stream".into() };
    driver.hear(Event::Lost { error, retry_in: Duration::from_secs(3) });
}

fn restarted(driver: &mut Driver) {
    lost(driver);
    driver.hear(Event::Connected(Box::new(Target { instance: 8, pid: 5151, ..fixture::target() })));
    let batch = Batch { now: Stamp(1), snapshot_begin: true, snapshot_end: true, ..Batch::default() };
    driver.hear(Event::Update(Box::new(batch)));
}

fn at(columns: u16, rows: u16) {
    let mut driver = Driver::new(columns, rows);
    let error = SourceError::Refused { target: "http://127.0.0.1:6670".into() };
    driver.hear(Event::Lost { error, retry_in: Duration::from_secs(3) });
    insta::assert_snapshot!(format!("not_connected_{columns}x{rows}"), driver.screen());
    for (name, prepare) in STATES {
        let mut driver = Driver::shop(columns, rows);
        prepare(&mut driver);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), driver.screen());
    }
    for (name, keys) in BANK {
        let mut driver = Driver::bank(columns, rows);
        driver.keys(keys);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), driver.screen());
    }
    for (name, keys) in WAYS {
        let mut driver = Driver::shop(columns, rows);
        driver.recall();
        driver.keys(keys);
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), driver.screen());
    }
}

#[test]
fn every_screen_at_80x24() {
    at(80, 24);
}

#[test]
fn every_screen_at_120x40() {
    at(120, 40);
}

#[test]
fn every_screen_at_60x15() {
    at(60, 15);
}

/// What somebody woken at night has to read without pressing a key.
#[test]
fn the_overview_says_what_is_wrong_where_and_what_to_change() {
    let text = Driver::shop(80, 24).text();
    for part in [
        "CRIT  blocked-worker",
        "A poll of `nightly` has been running for 2.31 s",
        "src/report.rs:42:9",
        "tokio::task::spawn_blocking",
        "src/handlers/orders.rs:93:29",
        "src/mail.rs:31:26",
    ] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
}

#[test]
fn the_accused_have_the_same_sign_in_every_table() {
    let mut driver = Driver::shop(120, 40);
    let row = |driver: &mut Driver, keys: &str, name: &str| {
        driver.keys(keys);
        let text = driver.text();
        text.lines().skip(4).find(|l| l.contains(name)).map_or_else(|| panic!("{name}:\n{text}"), str::to_owned)
    };
    assert!(row(&mut driver, "2", "nightly").starts_with('✗'));
    assert!(row(&mut driver, "v", "#17 nightly").starts_with('✗'));
    assert!(row(&mut driver, "5", "tokio-rt-worker 1").starts_with('✗'));
    assert!(row(&mut driver, "3", "orders").starts_with('▲'));
    assert!(row(&mut driver, "4", "mail").starts_with('▲'));
    // Those in a deadlock are accused with the locks that they wait for.
    let mut bank = Driver::bank(120, 40);
    for keys in ["2v", "3"] {
        bank.keys(keys);
        let marked = bank.text().lines().filter(|l| l.starts_with('✗')).count();
        assert_eq!(marked, 2, "{}", bank.text());
    }
    // What is over accuses nobody.
    assert!(row(&mut driver, "3", "Sessions").starts_with(' '));
}

#[test]
fn of_a_sites_tasks_only_those_that_the_rule_knows_are_accused() {
    let (model, mut findings) = (crate::app::fixture::model(), crate::app::fixture::findings());
    findings.truncate(1);
    let id = crate::model::TaskId(101);
    findings[0].subject.kind = crate::lints::SubjectKind::Site(model.tasks[&id].site);
    for (tasks, marked) in [(vec![id], 1..=1), (Vec::new(), 2..=100)] {
        findings[0].tasks = tasks;
        let mut driver = Driver::new(120, 40);
        driver.show(model.clone(), findings.clone());
        driver.keys("2");
        assert!(driver.text().lines().any(|l| l.starts_with('✗') && l.contains("place_order")), "{}", driver.text());
        driver.keys("v");
        let rows = driver.text().lines().filter(|l| l.starts_with('✗')).count();
        assert!(marked.contains(&rows), "{}", driver.text());
        driver.keys(":task 102<Enter>");
        assert_eq!(driver.text().contains("blocked-worker"), *marked.end() > 1, "{}", driver.text());
    }
}

#[test]
fn help_lists_every_key_and_every_screen() {
    let mut driver = Driver::shop(100, 200);
    driver.keys("?");
    let text = driver.text();
    for binding in crate::app::keymap::KEYMAP {
        assert!(text.lines().any(|l| l.starts_with(binding.shown)), "{} is missing from help", binding.shown);
    }
    for screen in SCREENS.all {
        assert!(text.contains(screen.title), "{} is missing from help", screen.title);
    }
}

#[test]
fn every_list_has_its_digit_and_the_digits_are_in_order() {
    let keys: String = SCREENS.all.iter().filter_map(|s| s.key).collect();
    assert_eq!(keys, "12345678");
    for (at, key) in keys.chars().enumerate() {
        let mut driver = Driver::shop(80, 24);
        driver.keys(&key.to_string());
        assert_eq!(driver.app.place().screen.id, SCREENS.all[at].id);
    }
}

/// The fixture's service with nothing in it.
fn empty_service() -> Model {
    let mut model = crate::app::fixture::model();
    model.tasks.clear();
    model.locks.clear();
    model.channels.clear();
    model.sites.clear();
    model.workers.clear();
    model
}

#[test]
fn where_nothing_happens_and_nothing_is_wrong_little_is_drawn() {
    let mut driver = Driver::shop(80, 24);
    assert!(!driver.app.rests(), "there are findings");
    let mut model = empty_service();
    model.totals.polls.push(400.0);
    driver.show(model.clone(), Vec::new());
    assert!(!driver.app.rests(), "tasks are polled");
    model.totals.polls.push(0.0);
    driver.show(model, Vec::new());
    assert!(driver.app.rests());
}

#[test]
fn an_empty_service_is_told_what_would_be_here() {
    let mut driver = Driver::new(80, 24);
    let model = empty_service();
    driver.show(model, Vec::new());
    assert!(driver.text().contains("No rule fires"));
    for (key, words, rest) in [
        ("2", "No task is alive", "Not visible in this service"),
        ("3", "no lock that is watched", "Not visible in this service"),
        ("4", "broadcast and watch", "Not visible in this service"),
        ("5", "No thread polls tasks", "pools of other crates"),
        ("6", "No finding", "Not visible in this service"),
    ] {
        driver.keys(key);
        let text = driver.text();
        assert!(text.contains(words) && text.contains(rest), "{text}");
        let (columns, rows) = driver.app.size;
        insta::assert_snapshot!(format!("empty_{}_{columns}x{rows}", driver.app.place().screen.id), driver.screen());
    }
}

/// What the fixture's service would say of itself with these capabilities, and this that cannot be seen.
fn told(capabilities: &[&str], blind: &[(&str, &str)]) -> Driver {
    let mut driver = Driver::new(100, 30);
    let mut model = empty_service();
    model.target.capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
    let row = |&(about, what): &(&str, &str)| crate::model::Blind {
        about: about.to_owned(),
        what: what.to_owned(),
        why: "so it is".to_owned(),
        remedy: "change it".to_owned(),
    };
    model.target.blind = blind.iter().map(row).collect();
    driver.show(model, Vec::new());
    driver
}

#[test]
fn what_holds_everything_back_is_said_on_every_empty_list() {
    let mut driver =
        told(&["tasks"], &[("workers", "queues of workers"), ("target", "everything that the layer tells")]);
    for key in ["2", "3", "4", "5"] {
        driver.keys(key);
        let text = driver.text();
        assert!(text.contains("everything that the layer tells: so it is"), "{text}");
        assert_eq!(text.contains("queues of workers: so it is"), key == "5", "{text}");
    }
}

#[test]
fn an_empty_list_promises_what_this_kind_of_target_can_show() {
    let kinds: [(&[&str], [&str; 3]); 3] = [
        (&["tasks", "handles", "locks", "channels"], ["the probe stands in for", "broadcast and watch", "OnceCell"]),
        (
            &["tasks", "locks", "channels"],
            ["spawns them.", "sync's bounded mpsc appear", "Semaphore and Barrier appear"],
        ),
        (&[], ["not tell of tasks", "not tell of channels", "not tell of locks"]),
    ];
    for (sees, words) in kinds {
        let mut driver = told(sees, &[]);
        for (key, words) in ["2", "4", "3"].into_iter().zip(words) {
            driver.keys(key);
            let text = driver.text();
            assert!(text.contains(words), "{words} of {sees:?} in\n{text}");
        }
    }
}

#[test]
fn where_nothing_is_wrong_any_more_the_last_that_was_is_told_in_full() {
    let mut driver = Driver::new(80, 24);
    let model = crate::app::fixture::model();
    let mut findings = crate::app::fixture::findings();
    findings.truncate(2);
    for finding in &mut findings {
        finding.cleared = Some(model.now.before(std::time::Duration::from_secs(3)));
    }
    let (first, second) = (findings[0].clone(), findings[1].clone());
    driver.show(model, findings);
    let text = driver.text();
    for told in [
        "No rule fires now.",
        &format!("{} · over since 3.00 s", first.rule),
        "  open  ",
        "  fix   ",
        "blind spots: press 8",
    ] {
        assert!(text.contains(told), "{told} in\n{text}");
    }
    assert!(!text.contains(second.rule) && text.matches("OVER").count() == 2, "the other takes a line\n{text}");
}

#[test]
fn pages_of_threads_and_of_findings_say_that_not_all_is_visible_of_such_things() {
    let mut driver = Driver::new(100, 60);
    let mut model = crate::app::fixture::model();
    model.target.blind.push(crate::model::Blind {
        about: "workers".into(),
        what: "queues of workers".into(),
        why: "so it is".into(),
        remedy: "change it".into(),
    });
    driver.show(model, crate::app::fixture::findings());
    let count = |model: &crate::model::Model, about: &str| {
        let spots = model.target.blind.iter().filter(|spot| spot.about == about || spot.about == "target").count();
        format!("{}: press 8", crate::text::counted(spots as u64, "blind spot"))
    };
    driver.keys("5<Enter>");
    assert_eq!(driver.app.place().screen.id, "worker");
    let page = driver.app.page().text();
    assert!(page.contains(&count(driver.app.cx().model, "workers")), "{page}");
    for n in 0..crate::app::fixture::findings().len() {
        driver.keys(&format!("6{}<Enter>", "j".repeat(n)));
        let page = driver.app.page().text();
        assert_eq!(driver.app.place().screen.id, "finding");
        let subject = driver.app.place().subject.unwrap();
        let kind = driver.app.cx().finding(subject).unwrap().subject.kind;
        let about = match crate::app::Entity::from(kind) {
            crate::app::Entity::Lock(_) => "locks",
            crate::app::Entity::Channel(_) => "channels",
            crate::app::Entity::Worker(_) => "workers",
            _ => "tasks",
        };
        assert!(page.contains(&count(driver.app.cx().model, about)), "{kind:?} in\n{page}");
    }
}

#[test]
fn ascii_draws_nothing_else() {
    let mut driver = Driver::shop(120, 40);
    driver.app.glyphs = &crate::app::glyphs::ASCII;
    driver.recall();
    for (_, keys) in WAYS {
        driver.keys("<Esc><Esc><Esc>");
        driver.keys(keys);
        let text = driver.text();
        let strange: String = text.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(strange, "", "in\n{text}");
        driver.keys("<Esc>");
    }
}

//! The last minutes, second by second.

use std::time::Duration;

use crate::app::fixture;
use crate::app::testing::Driver;
use crate::model::Stamp;

#[test]
fn stepping_back_shows_what_was_wrong_then_and_end_is_now() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    driver.keys("7");
    let now = driver.text();
    assert!(now.contains("4 findings · now"), "{now}");
    // Ten seconds ago `nightly` did not block yet.
    driver.keys(&"<Left>".repeat(10));
    let then = driver.text();
    assert!(then.contains("3 findings · 10s ago") && !then.contains("nightly"), "{then}");
    driver.keys("<Right>");
    assert!(driver.text().contains("9s ago"));
    driver.keys(&"<Left>".repeat(300));
    let first = driver.text();
    assert!(first.contains("0 findings · 1m 30s ago") && first.contains("No rule fired"), "{first}");
    driver.keys("<End>");
    assert!(driver.text().contains("4 findings · now"));
}

#[test]
fn where_it_stands_stays_while_seconds_are_added() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    driver.keys("7<Left><Left>");
    let at = driver.app.scrubbed;
    assert!(at.is_some());
    driver.recall();
    driver.keys("2");
    driver.keys("7");
    assert_eq!(driver.app.scrubbed, at);
    assert!(driver.text().contains("ago"));
}

#[test]
fn enter_leads_to_a_finding_that_is_still_known() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    driver.keys(&format!("7{}j<Enter>", "<Left>".repeat(5)));
    assert_eq!(driver.app.place().screen.id, "finding");
    driver.keys("<Esc>");
    assert_eq!(driver.app.place().screen.id, "timeline");
}

#[test]
fn what_is_long_over_opens_as_it_was_then() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    driver.show(fixture::model(), Vec::new());
    driver.keys(&format!("7{}", "<Left>".repeat(5)));
    let rows = driver.app.rows();
    assert_eq!(rows.len(), 3, "{}", driver.text());
    driver.keys("j<Enter>");
    let text = driver.text();
    assert!(text.contains("channel-saturated") && text.contains("seen          5s ago"), "{text}");
    assert!(text.contains("by then") && text.contains("→ channel mail"), "{text}");
    driver.keys("m<Esc>");
    assert!(driver.text().contains("muted until you quit") || driver.app.place().screen.id == "timeline");
    assert_eq!(driver.app.selected(), Some(rows[1]));
    // Of a process that is gone there is nothing left to look at.
    driver.hear(crate::source::Event::Connected(Box::new(crate::model::Target {
        instance: 8,
        pid: 9,
        ..fixture::target()
    })));
    driver.keys("7<Enter>");
    let text = driver.text();
    assert!(text.contains("in process 4242, which is gone") && text.contains("was about"), "{text}");
}

#[test]
fn it_goes_by_minutes_to_the_oldest_and_from_change_to_change() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    let first = |driver: &mut Driver| driver.text().lines().nth(2).unwrap_or_default().trim().to_owned();
    driver.keys("7<PgUp>");
    assert!(first(&mut driver).contains("1m 00s ago"), "{}", first(&mut driver));
    driver.keys("<PgUp>");
    assert!(first(&mut driver).contains("1m 30s ago"), "{}", first(&mut driver));
    driver.keys("<PgDn>");
    assert!(first(&mut driver).contains("30s ago"), "{}", first(&mut driver));
    driver.keys("<Home>");
    assert!(first(&mut driver).contains("1m 30s ago"), "{}", first(&mut driver));
    let mut changes = Vec::new();
    while driver.app.scrubbed.is_some() && changes.len() < 20 {
        let before = driver.app.scrubbed;
        driver.keys("n");
        if driver.app.scrubbed == before {
            break;
        }
        changes.push(first(&mut driver));
    }
    assert!(driver.text().contains("nothing has changed since"), "{}", driver.text());
    assert!(changes.len() >= 2, "{changes:?}");
    for change in changes.iter().rev().skip(1) {
        driver.keys("N");
        assert_eq!(first(&mut driver), *change);
        // The second before it was another.
        let found = change.split(' ').next().unwrap().to_owned();
        driver.keys("<Left>");
        assert!(!first(&mut driver).starts_with(&format!("{found} ")), "{change} and {}", first(&mut driver));
        driver.keys("<Right>");
    }
    driver.keys("NN");
    assert!(driver.text().contains("nothing changed before that"), "{}", driver.text());
}

#[test]
fn a_night_that_is_replayed_ten_times_as_fast_has_all_its_seconds() {
    let mut driver = Driver::shop(100, 30);
    let mut model = fixture::model();
    // Ten updates a second, each of which tells of one second of the target.
    for tenth in 1..=100 {
        model.now = model.now.after(Duration::from_secs(1));
        driver.history().record(Duration::from_millis(100 * tenth), &model, true, std::iter::empty());
    }
    assert_eq!(driver.history().len(), 100);
    driver.wait(Duration::from_secs(10));
    driver.keys(&format!("7{}", "<Left>".repeat(30)));
    assert!(driver.text().contains("30s ago"), "{}", driver.text());
    // Another process may be younger: then the dashboard's own clock tells.
    (model.target.instance, model.now) = (8, Stamp(0));
    driver.history().record(Duration::from_secs(15), &model, true, std::iter::empty());
    assert_eq!(driver.history().len(), 101);
}

#[test]
fn it_stands_still_while_the_view_is_frozen_and_then_has_what_came_meanwhile() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    // One of the moments before, and the newest.
    for keys in ["7<Left><Left>", "<End>"] {
        driver.keys(keys);
        driver.keys(" ");
        let frozen = driver.text();
        driver.recall();
        driver.show(fixture::model(), Vec::new());
        assert_eq!(driver.text(), frozen);
        driver.keys("<Left><Right>");
        assert_eq!(driver.text(), frozen, "a step back and forth");
        driver.keys(" ");
        assert_ne!(driver.text(), frozen);
    }
    assert!(driver.text().contains("4 findings · now"), "{}", driver.text());
}

#[test]
fn seconds_that_the_rules_had_not_judged_are_not_called_well() {
    let mut driver = Driver::shop(100, 30);
    let mut model = fixture::model();
    for judged in [false, true] {
        model.now = model.now.after(Duration::from_secs(1));
        driver.history().record(Duration::from_secs(1), &model, judged, std::iter::empty());
    }
    driver.keys("7");
    assert!(driver.text().contains("No rule fired"), "{}", driver.text());
    driver.keys("<Left>");
    let text = driver.text();
    assert!(text.contains("The rules had not seen enough") && !text.contains("No rule fired"), "{text}");
}

#[test]
fn before_anything_was_seen_it_says_so() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("7<Left><Right><End>j<Enter>");
    assert!(driver.text().contains("Nothing has been seen yet"));
}

#[test]
fn a_quarter_of_an_hour_is_kept_and_no_more() {
    let mut driver = Driver::shop(80, 24);
    (0..12).for_each(|_| driver.recall());
    assert_eq!(driver.history().len(), 900);
    driver.show(fixture::model(), Vec::new());
    driver.keys("7");
    driver.keys(&"<Left>".repeat(1000));
    driver.text();
}

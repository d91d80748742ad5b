//! What `y` and `Y` put into the clipboard.

use crate::app::Effect;
use crate::app::testing::Driver;

fn copied(keys: &str) -> String {
    let mut driver = Driver::shop(80, 24);
    driver.keys(keys);
    match driver.effects.pop() {
        Some(Effect::Copy(text)) => text,
        other => panic!("{keys} copied nothing: {other:?}"),
    }
}

#[test]
fn a_whole_finding_can_be_pasted_into_an_issue() {
    let text = copied("Y");
    for part in [
        "CRIT blocked-worker: A poll of `nightly`",
        "open: src/report.rs:42:9",
        "warns over 100 ms",
        "fix:  Move",
        "pid 4242",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert_eq!(copied("3Y").lines().next(), copied("6jY").lines().next(), "a lock copies the finding about it");
}

#[test]
fn an_id_is_copied_with_its_place() {
    assert_eq!(copied("3y"), "lock 1 at src/state.rs:23:20");
    assert_eq!(copied("2vy"), "task #17 at src/report.rs:42:9");
}

#[test]
fn a_page_without_a_finding_is_copied_as_it_reads() {
    let text = copied("3j<Enter>Y");
    assert!(text.contains("Mutex Sessions") && text.contains("nobody: it is free"), "{text}");
}

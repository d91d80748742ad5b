//! Clicks and the wheel.

use crossterm::event::MouseEventKind;

use crate::app::Entity;
use crate::app::testing::Driver;
use crate::model::LockId;

/// Column and row of the first place where `text` is drawn.
fn find(driver: &mut Driver, text: &str) -> (u16, u16) {
    let screen = driver.text();
    let found = screen
        .lines()
        .enumerate()
        .find_map(|(row, line)| line.find(text).map(|at| (line[..at].chars().count() as u16, row as u16)));
    found.unwrap_or_else(|| panic!("{text} is missing from\n{screen}"))
}

#[test]
fn a_tab_a_row_and_a_head_can_be_clicked() {
    for columns in [60, 80, 130] {
        let mut driver = Driver::shop(columns, 30);
        let (x, y) = find(&mut driver, "3 Loc");
        driver.click(x + 2, y);
        assert_eq!(driver.app.place().screen.id, "locks");
        let (x, y) = find(&mut driver, "Sessions");
        driver.click(x, y);
        assert_eq!(driver.app.place().selected.map(|r| r.entity), Some(Entity::Lock(LockId(2))));
        driver.click(x, y);
        assert_eq!(driver.app.place().screen.id, "lock");
        // The way here leads back.
        driver.click(3, 1);
        assert_eq!(driver.app.place().screen.id, "locks");
        let (x, y) = find(&mut driver, "HELD BY");
        driver.click(x, y);
        assert_eq!(driver.app.place().sort, "holder");
        driver.click(x, y);
        assert!(driver.app.place().reverse);
    }
}

#[test]
fn a_finding_and_a_link_can_be_clicked() {
    let mut driver = Driver::shop(80, 24);
    let (x, y) = find(&mut driver, "Channel `mail` is full");
    driver.click(x, y);
    driver.click(x, y);
    assert_eq!(driver.app.place().screen.id, "finding");
    assert!(driver.text().contains("channel-saturated"));
    let (x, y) = find(&mut driver, "→ channel mail");
    driver.click(x, y);
    assert_eq!(driver.app.place().screen.id, "channel");
}

#[test]
fn the_wheel_moves() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2v");
    driver.mouse(MouseEventKind::ScrollDown, 10, 10);
    assert_eq!(driver.app.place().index, 3);
    driver.mouse(MouseEventKind::ScrollUp, 10, 10);
    assert_eq!(driver.app.place().index, 0);
}

#[test]
fn the_pane_beside_the_list_is_clicked_and_scrolled() {
    let mut driver = Driver::shop(130, 24);
    driver.keys("3");
    let (x, y) = find(&mut driver, "held by task #100");
    driver.click(x, y);
    assert_eq!(driver.app.place().subject, Some(Entity::Task(crate::model::TaskId(100))));
    driver.keys("<Esc>");
    let before = driver.text();
    driver.mouse(MouseEventKind::ScrollDown, x, y);
    let scrolled = driver.text();
    assert_ne!(scrolled, before);
    assert_eq!(driver.app.place().index, 0, "the list stays where it was");
    for _ in 0..100 {
        driver.mouse(MouseEventKind::ScrollDown, x, y);
    }
    assert!(!driver.text().contains("more lines"), "{}", driver.text());
    // Another row has a pane of its own.
    driver.keys("jk");
    driver.mouse(MouseEventKind::ScrollUp, x, y);
    assert_eq!(driver.text(), before);
    // Beside its links, it is what it is about.
    let (x, y) = find(&mut driver, "Mutex orders");
    driver.click(x, y);
    assert_eq!(driver.app.place().screen.id, "lock");
}

#[test]
fn a_command_is_clicked_and_a_click_beside_them_closes_the_list() {
    let mut driver = Driver::shop(80, 24);
    driver.keys(":lo");
    let (x, y) = find(&mut driver, " locks ");
    driver.click(x + 2, y);
    assert_eq!((driver.app.place().screen.id, driver.app.prompt.is_none()), ("locks", true));
    driver.keys(":");
    driver.mouse(MouseEventKind::ScrollDown, 3, 20);
    assert_eq!(driver.app.prompt.as_ref().map(|p| p.kind), Some(crate::app::PromptKind::Palette(1)));
    driver.click(3, 3);
    assert_eq!((driver.app.place().screen.id, driver.app.prompt.is_none()), ("locks", true));
    // A click ends a filter that is understood.
    driver.keys("/sess");
    let (x, y) = find(&mut driver, "Sessions");
    driver.click(x, y);
    assert!(driver.app.prompt.is_none());
    assert_eq!(driver.app.place().subject, Some(Entity::Lock(LockId(2))));
}

#[test]
fn the_strip_of_the_timeline_is_clicked() {
    let mut driver = Driver::shop(100, 30);
    driver.recall();
    driver.keys("7");
    let (x, y) = find(&mut driver, "polls/s");
    driver.click(x + 13, y);
    assert!(driver.text().contains("1m 18s ago"), "{}", driver.text());
    driver.click(x + 13 + 77, y);
    assert!(driver.text().contains(" 1s ago"), "{}", driver.text());
    // Beside the strip there is no moment; the last column is now.
    driver.click(x, y);
    assert!(driver.app.scrubbed.is_some());
    driver.click(x + 13 + 78, y);
    assert!(driver.app.scrubbed.is_none() && driver.text().contains("· now"), "{}", driver.text());
}

#[test]
fn what_is_over_is_clicked_where_nothing_is_wrong() {
    let mut driver = Driver::shop(80, 24);
    let mut findings = crate::app::fixture::findings();
    findings.retain(|finding| !finding.active());
    let key = findings[0].key();
    driver.show(crate::app::fixture::model(), findings);
    assert!(driver.text().contains("No rule fires"));
    let (x, y) = find(&mut driver, "OVER");
    driver.click(x, y);
    assert_eq!(driver.app.place().subject, Some(Entity::Finding(key)));
}

#[test]
fn a_click_anywhere_on_any_screen_at_any_size_is_survived() {
    for (columns, rows) in [(0, 0), (1, 1), (39, 8), (40, 8), (60, 15), (80, 24), (130, 40)] {
        for screen in "12345678?".chars() {
            let mut driver = Driver::shop(columns, rows);
            for (x, y) in (0..=columns).step_by(7).flat_map(|x| (0..=rows).step_by(3).map(move |y| (x, y))) {
                driver.keys("<Esc><Esc><Esc>");
                driver.keys(&screen.to_string());
                driver.click(x, y);
                driver.click(x, y);
            }
            driver.text();
        }
    }
}

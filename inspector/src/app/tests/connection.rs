//! The connection: not there yet, lost, back, and back as another process.
use std::time::Duration;

use crate::app::testing::Driver;
use crate::app::{Effect, fixture};
use crate::model::{Batch, Stamp, Target};
use crate::source::{Event, SourceError};

fn refused() -> Event {
    let error = SourceError::Refused { target: "http://127.0.0.1:6670".into() };
    Event::Lost { error, retry_in: Duration::from_secs(3) }
}

fn lost() -> Event {
    let error = SourceError::Lost { target: "http://127.0.0.1:6670".into(), why: "end of stream".into() };
    Event::Lost { error, retry_in: Duration::from_secs(3) }
}

#[test]
fn a_refused_first_connection_says_what_happened_why_and_what_to_do() {
    let mut driver = Driver::new(80, 24);
    driver.hear(Event::Connecting { attempt: 1 });
    driver.hear(refused());
    let text = driver.text();
    for words in ["connection refused", "likely cause", "ASYNC_INSPECT=127.0.0.1:6670", "retry in 3s", "q quits"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    // Keys answer.
    driver.keys("r?");
    assert_eq!(driver.effects, [Effect::Reconnect]);
    assert!(driver.text().contains("next screen"));
    driver.keys("<Esc>q");
    assert_eq!(driver.effects, [Effect::Reconnect, Effect::Quit]);
}

#[test]
fn lost_data_stays_with_its_age_and_the_time_to_the_next_attempt() {
    let mut driver = Driver::shop(80, 24);
    driver.wait(Duration::from_secs(1));
    driver.hear(lost());
    driver.wait(Duration::from_secs(12));
    let text = driver.text();
    assert!(text.contains("STALE 13s") && text.contains("r now"), "{text}");
    assert!(text.contains("src/report.rs:42:9"), "{text}");
    assert!(text.contains("the service ended"), "{text}");
    driver.keys("3<Enter>r");
    assert!(driver.text().contains("Mutex orders"));
    assert_eq!(driver.effects, [Effect::Reconnect]);
}

#[test]
fn lost_data_is_dimmed_and_what_says_so_is_not() {
    let dim = |driver: &mut Driver, row: u16| {
        let buffer = driver.buffer();
        (0..buffer.area.width).all(|x| buffer[(x, row)].modifier.contains(ratatui::style::Modifier::DIM))
    };
    for keys in ["1", "2", "3<Enter>", "7"] {
        let mut driver = Driver::shop(130, 40);
        driver.recall();
        driver.keys(keys);
        assert!(!dim(&mut driver, 5), "{keys}");
        driver.hear(lost());
        assert!(dim(&mut driver, 5) && dim(&mut driver, 35), "{keys}");
        assert!(!dim(&mut driver, 0) && !dim(&mut driver, 39), "{keys}: the first and the last line");
        driver.hear(Event::Connected(Box::new(fixture::target())));
        assert!(!dim(&mut driver, 5), "{keys}");
    }
}

#[test]
fn the_countdown_of_the_next_attempt_is_drawn_and_an_idle_screen_is_not() {
    let mut driver = Driver::shop(80, 24);
    driver.app.take_dirty();
    driver.wait(Duration::from_millis(250));
    driver.wait(Duration::from_millis(250));
    assert!(!driver.app.take_dirty(), "nothing has changed");
    driver.hear(lost());
    driver.app.take_dirty();
    driver.wait(Duration::from_millis(900));
    assert!(driver.app.take_dirty(), "a second has passed without a connection");
}

#[test]
fn the_same_process_after_a_break_goes_on_where_it_was() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    driver.hear(lost());
    driver.hear(Event::Connected(Box::new(fixture::target())));
    let text = driver.text();
    assert!(text.contains("Mutex orders") && text.contains("live"), "{text}");
}

#[test]
fn a_restarted_target_is_announced_and_its_old_findings_are_kept_in_grey() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    driver.hear(lost());
    driver.hear(Event::Connected(Box::new(Target { instance: 8, pid: 5151, ..fixture::target() })));
    let batch = Batch { now: Stamp(1), snapshot_begin: true, snapshot_end: true, ..Batch::default() };
    driver.hear(Event::Update(Box::new(batch)));
    driver.keys("1");
    let text = driver.text();
    assert!(text.contains("process 4242 is now 5151"), "{text}");
    assert!(text.contains("pid 5151") && text.contains("what was found before is in Findings"), "{text}");
    assert!(!text.contains("report.rs:42"), "{text}");
    // Its ids mean other things now: no page of the old process is left open.
    assert_eq!(driver.app.way().len(), 1);
    driver.keys("6");
    assert!(driver.text().contains("earlier") && driver.text().contains("report.rs:42"), "{}", driver.text());
    driver.keys("<Enter>");
    assert!(driver.text().contains("process 4242, which is gone"), "{}", driver.text());
    driver.wait(Duration::from_secs(91));
    assert!(!driver.text().contains("is now"), "{}", driver.text());
}

/// The service runs anew, and its first picture is there.
fn restart(driver: &mut Driver, instance: u64, pid: u32) {
    driver.hear(lost());
    driver.hear(Event::Connected(Box::new(Target { instance, pid, ..fixture::target() })));
    let batch = Batch { now: Stamp(1), snapshot_begin: true, snapshot_end: true, ..Batch::default() };
    driver.hear(Event::Update(Box::new(batch)));
}

#[test]
fn findings_of_each_earlier_run_stand_below_a_divider_however_they_are_sorted() {
    let mut driver = Driver::shop(80, 24);
    restart(&mut driver, 8, 5151);
    driver.wait(Duration::from_secs(125));
    let mut model = fixture::model();
    (model.target.instance, model.target.pid) = (8, 5151);
    driver.show(model, fixture::findings());
    driver.keys("6");
    let dividers = |driver: &mut Driver| -> Vec<(usize, String)> {
        let text = driver.text();
        let lines = text.lines().enumerate().filter(|(_, line)| line.starts_with('─'));
        lines.map(|(n, line)| (n, line.trim_matches(['─', ' ']).to_owned())).collect()
    };
    insta::assert_snapshot!("findings_after_a_restart", driver.screen());
    let rows = driver.app.rows().len();
    let now = fixture::findings().len();
    let first = [(4 + now, "before the restart 2m 05s ago, in process 4242".to_owned())];
    for sort in ["", "s", "S", "s", "s"] {
        driver.keys(sort);
        assert_eq!(dividers(&mut driver), first, "{}", driver.text());
    }
    // The cursor passes over it, and a click on it selects nothing.
    driver.keys(&"j".repeat(now));
    assert_eq!(driver.app.place().index, now);
    let selected = driver.app.selected();
    driver.click(10, first[0].0 as u16);
    assert_eq!(driver.app.selected(), selected);
    driver.click(10, first[0].0 as u16 - 1);
    assert_eq!(driver.app.place().index, now - 1);

    // After another restart there is nothing yet of the present run, and each earlier one stands for itself.
    restart(&mut driver, 9, 6262);
    driver.keys("6");
    let texts = dividers(&mut driver);
    assert_eq!(texts.len(), 2, "{}", driver.text());
    // Below the line that says so.
    assert_eq!(texts[0], (5, "before the restart 0s ago, in process 5151".to_owned()), "{}", driver.text());
    assert!(texts[1].1.ends_with("in process 4242"), "{}", driver.text());

    // What is selected is in view, in whatever lines there are.
    driver.resize(80, 10);
    for _ in 0..rows {
        driver.keys("j");
        assert!(driver.roles().lines().any(|line| line.len() > 70 && line.contains('_')), "{}", driver.text());
    }
}

#[test]
fn a_frozen_view_outlasts_a_restart_and_then_shows_the_process_that_is_there() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter> ");
    let body = |driver: &mut Driver| driver.text().lines().skip(4).take(18).collect::<Vec<_>>().join("\n");
    let frozen = body(&mut driver);
    restart(&mut driver, 8, 5151);
    driver.wait(Duration::from_secs(91));
    assert_eq!(body(&mut driver), frozen);
    driver.keys("6");
    assert!(!driver.text().contains("before the restart"), "{}", driver.text());
    driver.keys(" ");
    let text = driver.text();
    assert!(text.contains("before the restart") && text.contains("pid 5151"), "{text}");
}

#[test]
fn a_restart_that_keeps_its_process_id_is_announced_and_divides_the_timeline() {
    let mut driver = Driver::shop(80, 24);
    driver.recall();
    driver.hear(lost());
    driver.hear(Event::Connected(Box::new(Target { instance: 8, ..fixture::target() })));
    driver.wait(Duration::from_secs(2));
    let batch = Batch { now: Stamp(1), snapshot_begin: true, snapshot_end: true, ..Batch::default() };
    driver.hear(Event::Update(Box::new(batch)));
    let text = driver.text();
    assert!(text.contains("restarted: it is another process of the same number, 4242"), "{text}");
    driver.keys("7");
    let worst = driver.text().lines().find(|line| line.starts_with(" worst")).unwrap().to_owned();
    assert!(worst.trim_end().ends_with('│') && worst.matches('│').count() == 1, "{worst}");
}

#[test]
fn nothing_found_is_not_called_well_before_the_rules_have_judged_for_a_while() {
    let mut driver = Driver::new(80, 24);
    driver.hear(Event::Connected(Box::new(fixture::target())));
    for tenth in 0..=50 {
        let first = tenth == 0;
        let now = Stamp(1 + tenth * 100_000_000);
        let batch = Batch { now, snapshot_begin: first, snapshot_end: first, ..Batch::default() };
        driver.hear(Event::Update(Box::new(batch)));
        let text = driver.text();
        assert_eq!(text.contains("No rule fires"), tenth == 50, "{text}");
        assert_eq!(
            text.contains(&format!("Looking: the rules have judged for {} s", tenth / 10)),
            tenth < 50,
            "{text}"
        );
    }
}

#[test]
fn what_is_shed_and_what_the_probe_takes_is_in_the_first_line() {
    let mut driver = Driver::shop(120, 24);
    let first = |driver: &mut Driver| driver.text().lines().next().unwrap_or_default().to_owned();
    assert!(first(&mut driver).contains("probe 0.4% of a core, 3.10 MiB · shed 0"), "{}", first(&mut driver));
    let mut model = fixture::model();
    model.loss.tasks = 12_000;
    driver.show(model, Vec::new());
    driver.resize(80, 24);
    let line = first(&mut driver);
    assert!(line.contains("shop pid 4242") && line.contains("shed 12.0k"), "{line}");
}

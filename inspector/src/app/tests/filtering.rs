//! What `/` finds, and what it says when it does not understand.

use crate::app::testing::Driver;

fn found(filter: &str) -> usize {
    let mut driver = Driver::shop(100, 30);
    driver.keys(&format!("2v/{filter}<Enter>"));
    assert!(driver.app.prompt.is_none(), "{filter}: {}", driver.text());
    driver.app.derived.rows.order.len()
}

#[test]
fn terms_narrow_the_rows() {
    let all = found("");
    assert_eq!(found("place_order"), 40);
    assert_eq!(found("!place_order"), all - 40);
    assert_eq!(found("PLACE_order"), 40);
    assert_eq!(found("state:running"), 1);
    assert_eq!(found("state=run"), 0);
    assert_eq!(found("mark:crit"), 1);
    assert_eq!(found("lock:orders"), 39);
    assert_eq!(found("lock:orders wait>395ms"), 2);
    assert_eq!(found("wait>0.4s on:lock"), 0);
    assert_eq!(found("busy>50%"), 1);
    assert_eq!(found("maxpoll>=1s"), 1);
    assert_eq!(found("at:orders.rs:88"), 40);
    assert_eq!(found("orders.rs:88"), 40);
    assert_eq!(found("\"room in mail\""), 2);
    assert_eq!(found("id=17"), 1);
}

#[test]
fn nonsense_is_answered_in_place_and_hides_nothing() {
    for (filter, words) in [
        ("stat:idle", "no field `stat`"),
        ("wait>soon", "`soon` is not a time: write wait>250ms"),
        ("busy>lots", "is not a share"),
        ("state>3", "holds words"),
        ("wait>", "compares with nothing"),
        ("\"open", "quote is not closed"),
    ] {
        let mut driver = Driver::shop(100, 30);
        driver.keys(&format!("2/{filter}"));
        let text = driver.text();
        assert!(text.contains(words), "{filter}:\n{text}");
        assert!(text.contains("place_order"), "{filter}:\n{text}");
        // Enter does not accept it, Esc takes it back.
        driver.keys("<Enter>");
        assert!(driver.app.prompt.is_some());
        driver.keys("<Esc>");
        assert!(driver.app.prompt.is_none() && driver.app.place().filter.is_empty());
    }
}

#[test]
fn a_field_goes_by_its_head_too_and_by_the_word_of_other_tables() {
    for (keys, rows) in [
        ("3/lock:sess<Enter>", 1),
        ("3/heldby:place_order<Enter>", 1),
        ("4/channel:mail<Enter>", 1),
        ("6/state:cleared<Enter>", 1),
        ("6/wait>3s !state:cleared<Enter>", 3),
    ] {
        let mut driver = Driver::shop(100, 30);
        driver.keys(keys);
        assert!(driver.app.prompt.is_none(), "{keys}: {}", driver.text());
        assert_eq!(driver.app.derived.rows.order.len(), rows, "{keys}: {}", driver.text());
    }
}

#[test]
fn a_refusal_that_names_all_fields_is_whole() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2/nonsense:1");
    let text = driver.text();
    assert!(text.contains("no field `nonsense` here"), "{text}");
    for column in driver.app.place().columns() {
        assert!(
            text.lines().rev().take(4).any(|line| line.split(' ').any(|word| word == column.id)),
            "{}\n{text}",
            column.id
        );
    }
}

#[test]
fn a_filter_is_shown_counted_and_taken_off_by_esc() {
    let mut driver = Driver::shop(100, 30);
    driver.keys("2v/lock:orders<Enter>");
    assert!(driver.text().contains("39 of 53 tasks"));
    driver.keys("<Esc>");
    assert!(driver.text().contains("53 tasks"));
    assert_eq!(driver.app.place().screen.id, "tasks");
    driver.keys("/zzz<Enter>");
    assert!(driver.text().contains("None of 53 tasks passes the filter"));
}

#[test]
fn keys_are_text_while_a_filter_is_typed() {
    let mut driver = Driver::shop(100, 30);
    driver.keys("2/qj1<BS> x<C-w><C-u>n");
    assert_eq!(driver.effects, []);
    assert_eq!(driver.app.prompt.as_ref().map(|p| p.input.value()), Some("n"));
}

#[test]
fn among_very_many_tasks_the_first_are_listed_and_a_filter_brings_in_the_rest() {
    let mut model = crate::app::fixture::model();
    let one = model.tasks[&crate::model::TaskId(40)].clone();
    for id in (1000..101_000).map(crate::model::TaskId) {
        model.tasks.insert(crate::model::Task { id, ..one.clone() });
    }
    let mut driver = Driver::new(100, 30);
    driver.show(model, Vec::new());
    driver.keys("2v");
    let text = driver.text();
    assert!(text.contains("100k tasks") && text.contains("the first 10.0k: / for the rest"), "{text}");
    // Each key takes a pass over all.
    driver.keys("/pl");
    assert_eq!(driver.app.derived.rows.order.len(), 40);
    driver.keys("<C-u>nig<Enter>");
    assert_eq!(driver.app.derived.rows.order.len(), 1);
}

#[test]
fn a_word_after_a_space_that_is_no_ascii_is_finished_too() {
    let mut driver = Driver::shop(100, 30);
    driver.keys("2/idle\u{a0}sta<Tab>");
    assert!(driver.text().contains("idle\u{a0}state:"), "{}", driver.text());
}

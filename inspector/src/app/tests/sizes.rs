//! No size and no data makes it panic, and nothing of a hostile target reaches the terminal.

use crate::app::fixture;
use crate::app::testing::Driver;

/// Keys that lead through every screen and back.
const TOUR: &[&str] = &[
    "", "j", "G", "<Enter>", "j", "<Enter>", "G", "<Enter>", "2", "v", "G", "<Enter>", "<PgDn>", "3", "<Enter>",
    "<C-d>", "4", "<Enter>", "G", "5", "j", "6", "G", "<Enter>", "n", "7", "<Left>", "j", "<Enter>", "<Esc>", "8", "?",
    "<PgDn>", "<Esc>", ":tas", "<Esc>", "2", "/x y\"", "<Esc>", "/wait>1s", "<Enter>", "w", " ", "s", "S", "n", "Y",
];

fn tour(driver: &mut Driver, sizes: &(impl Iterator<Item = (u16, u16)> + Clone)) {
    for keys in TOUR {
        driver.keys(keys);
        for (columns, rows) in sizes.clone() {
            driver.resize(columns, rows);
            driver.text();
        }
    }
}

fn sizes() -> impl Iterator<Item = (u16, u16)> + Clone {
    let columns =
        (0..=200).filter(|c| c % 13 == 0 || matches!(c, 1 | 2 | 39 | 40 | 59 | 60 | 79 | 80 | 119 | 120 | 200));
    let rows = |_| (0..=60).filter(|r| r % 20 == 0 || matches!(r, 1 | 2 | 7 | 8 | 14 | 15 | 24 | 60));
    columns.flat_map(move |c| rows(c).map(move |r| (c, r)))
}

#[test]
fn no_size_is_too_odd() {
    let mut driver = Driver::shop(80, 24);
    driver.recall();
    tour(&mut driver, &sizes());
}

#[test]
fn no_data_is_too_hostile() {
    let mut driver = Driver::new(80, 24);
    let (model, findings) = fixture::hostile();
    driver.show(model, findings);
    let few = sizes().filter(|(c, r)| c % 40 == 0 && (*r == 8 || *r == 24 || *r == 60) || *c == 79 || *c == 119);
    tour(&mut driver, &few);
}

#[test]
fn a_target_cannot_write_to_the_terminal() {
    let mut driver = Driver::new(120, 60);
    let (model, findings) = fixture::hostile();
    driver.show(model, findings);
    for keys in TOUR {
        driver.keys(keys);
        let text = driver.text();
        let bad = text.chars().find(|&c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c));
        assert_eq!(bad, None, "after {keys}:\n{text}");
    }
    // What is copied is pasted into other terminals.
    for effect in &driver.effects {
        if let crate::app::Effect::Copy(text) = effect {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
    }
}

#[test]
fn a_small_terminal_shows_findings_only_and_a_tiny_one_says_what_it_needs() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2");
    driver.resize(50, 14);
    let text = driver.text();
    assert!(text.contains("src/report.rs:42:9") && !text.contains("SPAWNED AT"), "{text}");
    driver.resize(39, 8);
    assert!(driver.text().contains("needs 40x8"));
    driver.resize(80, 24);
    assert!(driver.text().contains("Overview"));
}

#[test]
fn a_hundred_thousand_tasks_are_drawn_by_the_rows_that_are_visible() {
    let mut model = fixture::model();
    let one = model.tasks[&crate::model::TaskId(40)].clone();
    // Enough that building every row would be seen in the time that this takes, few enough for a test.
    for id in 1000..101_000 {
        let id = crate::model::TaskId(id);
        model.tasks.insert(crate::model::Task { id, ..one.clone() });
    }
    let mut driver = Driver::new(80, 24);
    driver.show(model, Vec::new());
    driver.keys("2v");
    assert!(driver.text().contains("100k tasks"));
    driver.keys("G");
    assert_eq!(driver.app.place().index, crate::app::sweep::LISTED - 1);
    driver.text();
}

/// Without the samples of the tests above: each screen at each of 12,261 sizes, with data that means harm.
#[test]
#[ignore = "takes minutes: cargo test --release -p async-inspect-cli -- --ignored at_all_sizes"]
fn every_screen_at_all_sizes_with_hostile_data() {
    let ways = [
        "",
        "<Enter>",
        "2",
        "2v<Enter>",
        "2<Enter>",
        "3",
        "3<Enter>",
        "4",
        "4<Enter>",
        "5",
        "6",
        "7",
        "8",
        "?",
        ":t",
        "2/x",
    ];
    for keys in ways {
        let mut driver = Driver::new(80, 24);
        driver.recall();
        let (model, findings) = fixture::hostile();
        driver.show(model, findings);
        driver.keys(keys);
        for columns in 0..=200 {
            for rows in 0..=60 {
                driver.resize(columns, rows);
                driver.buffer();
            }
        }
    }
}

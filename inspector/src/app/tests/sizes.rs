//! No size and no data makes it panic, and nothing of a hostile target reaches the terminal.

use crate::app::fixture;
use crate::app::testing::Driver;

/// Keys that lead through every screen and back.
const TOUR: &[&str] = &[
    "", "j", "G", "<Enter>", "j", "<Enter>", "G", "<Enter>", "2", "v", "G", "<Enter>", "<PgDn>", "3", "<Enter>",
    "<C-d>", "4", "<Enter>", "G", "5", "j", "6", "G", "<Enter>", "n", "7", "<Left>", "j", "<Enter>", "<Esc>", "8", "?",
    "<PgDn>", "<Esc>", ":tas", "<Esc>", "2", "/x y\"", "<Esc>", "/wait>1s", "<Enter>", "w", " ", "s", "S", "n", "Y",
];

/// The sizes at which the layout changes, each with the one before it.
const EDGES: &[(u16, u16)] = &[
    (0, 0),
    (0, 60),
    (1, 1),
    (2, 200),
    (39, 8),
    (40, 7),
    (40, 8),
    (59, 15),
    (60, 14),
    (60, 15),
    (79, 24),
    (80, 24),
    (119, 40),
    (120, 40),
    (200, 1),
    (200, 60),
];

fn tour(driver: &mut Driver) {
    for keys in TOUR {
        driver.keys(keys);
        for &(columns, rows) in EDGES {
            driver.resize(columns, rows);
            driver.buffer();
        }
    }
}

#[test]
fn no_size_is_too_odd() {
    let mut driver = Driver::shop(80, 24);
    driver.recall();
    tour(&mut driver);
}

#[test]
fn no_data_is_too_hostile() {
    let mut driver = Driver::new(80, 24);
    let (model, findings) = fixture::hostile();
    driver.show(model, findings);
    tour(&mut driver);
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
fn a_small_terminal_shows_every_screen_with_fewer_columns_and_a_tiny_one_says_what_it_needs() {
    for (columns, rows) in [(40, 8), (40, 10), (59, 24), (80, 12)] {
        let mut driver = Driver::shop(columns, rows);
        for (keys, head) in [("2", "TASK"), ("<Tab>", "LOCK"), (":channels<Enter>", "CHANNEL"), ("5", "WORKER")] {
            driver.keys(keys);
            let text = driver.text();
            let tabs = text.lines().nth(1).unwrap_or_default();
            assert!(text.contains(head) && (rows < 10 || tabs.contains('8')), "{columns}x{rows} {keys}:\n{text}");
        }
        driver.keys("6");
        assert!(driver.text().contains("blocked-worker"), "{columns}x{rows}:\n{}", driver.text());
    }
    let mut driver = Driver::shop(80, 24);
    driver.keys("2");
    driver.resize(39, 8);
    assert!(driver.text().contains("needs 40x8"));
    driver.resize(80, 24);
    assert!(driver.text().contains("SPAWNED AT"));
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

/// The keys that lead to each screen.
const WAYS: [&str; 16] = [
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

/// Draws the screens that `ways` lead to at each of `sizes`, with data that means harm.
fn sweep(ways: &[&str], sizes: &(impl Iterator<Item = (u16, u16)> + Clone)) {
    for keys in ways {
        let mut driver = Driver::new(80, 24);
        driver.recall();
        let (model, mut findings) = fixture::hostile();
        // More than a screen of them; the tours above have all.
        findings.truncate(80);
        driver.show(model, findings);
        driver.keys(keys);
        for (columns, rows) in sizes.clone() {
            driver.resize(columns, rows);
            driver.buffer();
        }
    }
}

/// Every width and every height, though not each with each: what does not fit in one does not fit for its own reasons.
fn widths_and_heights() -> impl Iterator<Item = (u16, u16)> + Clone {
    let widths = (0..=200).map(|columns| (columns, 24));
    let heights = (0..=60).flat_map(|rows| [60, 80, 120].map(|columns| (columns, rows)));
    widths.chain(heights)
}

/// Every width at which findings are all that there is, wherever one was before.
fn narrow() -> impl Iterator<Item = (u16, u16)> + Clone {
    (0..=200).map(|columns| (columns, 8))
}

#[test]
fn lists_at_every_width_and_height() {
    sweep(&["2", "3", "4", "5", "6", "2/x"], &widths_and_heights());
}

#[test]
fn pages_at_every_width_and_height() {
    sweep(&["<Enter>", "2v<Enter>", "2<Enter>", "3<Enter>", "4<Enter>", "8"], &widths_and_heights());
}

#[test]
fn the_rest_at_every_width_and_height() {
    sweep(&["", "7", "?", ":t"], &widths_and_heights());
    sweep(&[""], &narrow());
}

/// Each with each: 12,261 sizes.
#[test]
#[ignore = "takes minutes: cargo test --release -p async-inspect-cli -- --ignored at_all_sizes"]
fn every_screen_at_all_sizes_with_hostile_data() {
    sweep(&WAYS, &(0..=200).flat_map(|columns| (0..=60).map(move |rows| (columns, rows))));
}

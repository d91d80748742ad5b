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

/// Draws the screens that `ways` lead to at each of `sizes`.
fn sweep(ways: &[&str], show: impl Fn(&mut Driver), sizes: &(impl Iterator<Item = (u16, u16)> + Clone)) {
    for keys in ways {
        let mut driver = Driver::new(80, 24);
        driver.recall();
        show(&mut driver);
        driver.keys(keys);
        for (columns, rows) in sizes.clone() {
            driver.resize(columns, rows);
            driver.buffer();
        }
    }
}

/// Data that means harm.
fn hostile(driver: &mut Driver) {
    let (model, mut findings) = fixture::hostile();
    // More than a screen of them; the tours above have all.
    findings.truncate(80);
    driver.show(model, findings);
}

/// A circle that is drawn closed.
fn deadlock(driver: &mut Driver) {
    let (model, findings) = fixture::deadlock();
    driver.show(model, findings);
}

/// Nothing at all.
fn empty(driver: &mut Driver) {
    driver.show(crate::model::Model { complete: true, ..crate::model::Model::default() }, Vec::new());
}

/// Every width that people have and every height; small sizes, where a line or a column more decides what there is room
/// for, and of the rest one in some. Above that what does not fit in width does not fit for its own reasons, whatever the height is.
///
/// A million tasks are in `benches/dashboard.rs`, which builds them in a release: here they would take longer than all
/// else. What is different about very many begins at 100,000, which `filtering` has.
fn sizes() -> impl Iterator<Item = (u16, u16)> + Clone {
    let widths = (0..=130).chain((131..=200).step_by(5)).map(|columns| (columns, 24));
    let heights = (0..=60).flat_map(|rows| [60, 120].map(|columns| (columns, rows)));
    widths.chain(heights).chain(some())
}

/// Small sizes and one in some of all others.
fn some() -> impl Iterator<Item = (u16, u16)> + Clone {
    let small = (36..=62).step_by(2).flat_map(|columns| (6..=16).map(move |rows| (columns, rows)));
    let coarse = (0..=200).step_by(17).flat_map(|columns| (0..=60).step_by(9).map(move |rows| (columns, rows)));
    small.chain(coarse)
}

#[test]
fn lists_at_all_sizes_with_hostile_data() {
    sweep(&["2", "3", "4", "5", "6", "2/x"], hostile, &sizes());
}

#[test]
fn pages_at_all_sizes_with_hostile_data() {
    sweep(&["<Enter>", "2v<Enter>", "2<Enter>", "3<Enter>", "4<Enter>", "5<Enter>"], hostile, &sizes());
}

#[test]
fn the_rest_at_all_sizes_with_hostile_data() {
    sweep(&["", "7", "7<Left><Left>", "8", "?", ":t"], hostile, &sizes());
}

#[test]
fn deadlocks_and_empty_screens_at_all_sizes() {
    sweep(&["", "<Enter>", "3<Enter>", "2v<Enter>"], deadlock, &some());
    sweep(&["", "2", "3", "4", "5", "6", "7"], empty, &some());
}

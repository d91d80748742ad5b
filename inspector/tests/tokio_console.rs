//! The stock tokio-console attaches to a watched service: what its user sees.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod watched;

use std::time::Duration;

use common::stock_console::tokio_console;
use watched::{Watched, free_address};

/// `orders.rs:LINE` of what `code` is in the shop's source.
fn in_orders(code: &str) -> String {
    let source = include_str!("../zoo/src/shop/orders.rs");
    let line = source.lines().position(|line| line.contains(code)).unwrap();
    format!("zoo/src/shop/orders.rs:{}:", line + 1)
}

#[test]
fn tasks_resources_and_a_task_are_shown_by_name_and_line() {
    let shop = Watched::start("shop", &["shop"], free_address());
    let mut console = tokio_console(&shop.probe.to_string(), 200, 50);
    console.wait_for("CONNECTED");
    console.wait_until("the tasks by name and line", |screen| {
        let pack = |line: &str| line.contains("pack") && line.contains(&in_orders("spawn(pack("));
        screen.lines().any(pack) && screen.contains("keep_current")
    });

    console.send("r");
    console.wait_until("the shop's mutex and channel", |screen| {
        let row = |words: [&str; 3]| screen.lines().any(|line| words.iter().all(|word| line.contains(word)));
        row(["Sync", "Mutex<HashMap<u32, u64>>", "src/shop/prices.rs:"])
            && row(["Channel", "mpsc<Order>", &in_orders("mpsc::channel(64)")])
            && screen.contains("capacity=64")
    });

    // The longest lived is on top.
    console.send("t");
    console.wait_for("Tasks (");
    console.send("j\r");
    console.wait_for("Poll Times Histogram");
    console.wait_for("p99");
    assert!(console.text().contains("CONNECTED"), "{}", console.text());
}

#[test]
fn a_list_that_is_too_long_for_one_message_is_shown_whole() {
    const TASKS: usize = 30_000;
    let crowd = Watched::start("crowd", &[&format!("crowd:{TASKS}")], free_address());
    let console = tokio_console(&crowd.probe.to_string(), 120, 30);
    // Its `block_on` is one more.
    let title = format!("Tasks ({})", TASKS + 1);
    console.wait_within(Duration::from_secs(40), &title, |screen| screen.contains(&title) && screen.contains("member"));
}

//! What all tables have in common: columns, order, groups.
use std::cell::Cell;
use std::collections::HashSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::column::{Column, Kind, MARK, Value, Width};
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::testing::Driver;
use crate::app::{Entity, Place, columns, derived, fixture, layout};
use crate::lints::{Finding, SubjectKind};
use crate::model::{Channel, ChannelId, Lock, LockId, Model, SiteId, TaskId};
use crate::view::SCREENS;
use crate::view::table;

/// The shop, with crowds: 400 locks of one line, 300 channels of another, tasks without figures.
fn crowd() -> (Model, Vec<Finding>) {
    let mut model = fixture::model();
    let (lock, channel) = (model.locks[&LockId(1)].clone(), model.channels[&ChannelId(2)].clone());
    for n in 0..400 {
        let waiters = u32::from(n == 7) * 3;
        let held_since = lock.held_since.filter(|_| n % 4 == 0);
        let id = LockId(1000 + n);
        let one = Lock { id, site: SiteId(11), name: "".into(), waiters, held_since, ..lock.clone() };
        model.locks.insert(id, one);
    }
    for n in 0..300 {
        let id = ChannelId(1000 + n);
        let (sent, received) = (1000 + n, 1000);
        model.channels.insert(id, Channel { id, site: SiteId(21), sent, received, ..channel.clone() });
    }
    let mut findings = fixture::findings();
    let accused = Finding {
        subject: crate::lints::Subject { kind: SubjectKind::Lock(LockId(1007)), ..findings[0].subject.clone() },
        ..findings[0].clone()
    };
    findings.push(accused);
    (model, findings)
}

fn on_crowd(columns: u16, rows: u16) -> Driver {
    let mut driver = Driver::new(columns, rows);
    let (model, findings) = crowd();
    driver.show(model, findings);
    driver
}

fn tables() -> impl Iterator<Item = (&'static Screen, &'static Table, String)> {
    SCREENS.all.iter().filter_map(|screen| match &screen.body {
        Body::Table(table) => Some((*screen, table, screen.key?.to_string())),
        _ => None,
    })
}

fn visible(table: &'static Table) -> impl Iterator<Item = &'static Column> {
    table.columns.iter().filter(|column| !matches!(column.width, Width::Hidden))
}

#[test]
fn every_column_of_every_table_sorts_by_what_it_shows_and_blanks_are_last_both_ways() {
    let mut driver = on_crowd(120, 40);
    let mut turned = 0;
    for (screen, table, key) in tables() {
        driver.keys(&key);
        for column in visible(table) {
            for (flat, reverse) in [(false, false), (false, true), (true, false), (true, true)] {
                let place = driver.app.place_mut();
                (place.sort, place.flat, place.reverse) = (column.id, flat, reverse);
                derived::refresh(&mut driver.app);
                let cx = driver.app.cx();
                let values: Vec<Value> =
                    cx.derived.rows.order.iter().map(|entity| (column.value)(&cx, *entity)).collect();
                let words = |value: &Value| value.words().map(str::to_lowercase).filter(|words| !words.is_empty());
                let blank = |value: &Value| match column.kind {
                    Kind::Text => words(value).is_none(),
                    _ => value.number().is_none(),
                };
                let filled = values.iter().position(blank).unwrap_or(values.len());
                let of = format!("{} by {}, flat {flat}, reverse {reverse}", screen.id, column.id);
                assert!(values[filled..].iter().all(blank), "a blank before a value: {of}");
                for pair in values[..filled].windows(2) {
                    let order = match column.kind {
                        Kind::Text => words(&pair[0]).cmp(&words(&pair[1])),
                        _ => pair[1].number().partial_cmp(&pair[0].number()).unwrap(),
                    };
                    assert!(if reverse { order.is_ge() } else { order.is_le() }, "{of}: {pair:?}");
                    turned += usize::from(order.is_ne());
                }
            }
        }
    }
    assert!(turned > 100, "{turned} pairs that differ say little");
}

#[test]
fn sites_go_by_how_many_tasks_they_have_and_tasks_by_their_number() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2ss");
    assert_eq!(driver.app.place().sort, "task");
    driver.keys("2");
    driver.app.place_mut().sort = "id";
    driver.keys("vv");
    let counts = |driver: &mut Driver| -> Vec<String> {
        driver
            .text()
            .lines()
            .skip(4)
            .map_while(|l| l[l.find(' ')?..].split_whitespace().next().map(str::to_owned))
            .collect()
    };
    assert_eq!(counts(&mut driver)[..5], ["40", "8", "2", "2", "1"]);
    driver.keys("v");
    assert_eq!(counts(&mut driver)[..3], ["#139", "#138", "#137"]);
    driver.keys("S");
    // The root of a program and the first task that it spawned both have the number 1.
    assert_eq!(counts(&mut driver)[2..5], ["#5", "#6", "#17"]);
}

#[test]
fn at_120_columns_every_table_shows_every_column_and_a_wider_screen_no_fewer() {
    for (screen, table, key) in tables() {
        let mut driver = on_crowd(120, 40);
        driver.keys(&key);
        let heads = driver.text();
        for column in visible(table) {
            assert!(
                heads.contains(&column.title[..column.title.len().min(4)]),
                "{} of {}:\n{heads}",
                column.id,
                screen.id
            );
        }
        let mut before = 0;
        for width in 40..=200 {
            driver.resize(width, 40);
            let list = layout::layout(&driver.app, width, 40).list;
            let shown = columns::shown(driver.app.place(), list.width).len();
            assert!(shown >= before, "{}: {shown} columns at {width}, {before} before", screen.id);
            before = shown;
        }
        assert_eq!(before, visible(table).count(), "{}", screen.id);
    }
}

#[test]
fn what_is_selected_stands_below_the_list_and_beside_it_where_that_costs_no_column() {
    let mut driver = Driver::shop(120, 40);
    driver.keys("3");
    let text = driver.text();
    let rule = text.lines().position(|line| line.starts_with("────")).unwrap();
    assert!(text.lines().nth(rule + 1).unwrap().contains("Mutex orders"), "{text}");
    driver.resize(170, 40);
    let text = driver.text();
    assert!(text.lines().nth(2).unwrap().contains("│ Mutex orders"), "{text}");
    // `w` takes it away and brings it back.
    for (columns, rows) in [(170, 40), (120, 40), (130, 24)] {
        driver.resize(columns, rows);
        assert!(driver.text().contains("Mutex orders"));
        driver.keys("w");
        assert!(!driver.text().contains("Mutex orders"), "{}", driver.text());
        driver.keys("w");
        assert!(driver.text().contains("Mutex orders"));
    }
}

#[test]
fn w_shows_the_columns_that_had_no_room_one_set_after_the_other() {
    for (width, most) in [(60, 8), (80, 4), (100, 2)] {
        for (screen, table, key) in tables() {
            let mut driver = Driver::shop(width, 24);
            driver.keys(&key);
            let first = driver.text();
            let sets = columns::sets(driver.app.place(), width).len();
            assert!((1..=most).contains(&sets), "{} has {sets} sets at {width}", screen.id);
            let mut seen = HashSet::new();
            for _ in 0..sets {
                seen.extend(columns::shown(driver.app.place(), width).iter().map(|(column, _)| column.id));
                driver.keys("w");
            }
            assert_eq!(driver.text(), first, "it comes round");
            assert_eq!(seen.len(), visible(table).count(), "{} at {width}: {seen:?}", screen.id);
            if sets > 1 {
                assert!(
                    first.contains(&if width < 80 { format!("w 1/{sets}") } else { format!("columns 1/{sets}: w") }),
                    "{first}"
                );
                driver.keys("w");
                assert_ne!(driver.text(), first);
            }
        }
    }
}

#[test]
fn what_rows_are_sorted_by_is_on_the_screen_in_every_set_of_columns() {
    for (screen, table, key) in tables() {
        for width in [40, 60, 80, 119] {
            let mut driver = Driver::shop(width, 24);
            driver.keys(&key);
            for column in visible(table) {
                driver.app.place_mut().sort = column.id;
                for set in columns::sets(driver.app.place(), width) {
                    assert!(set.iter().any(|(c, _)| c.id == column.id), "{} of {} at {width}", column.id, screen.id);
                    let ids: HashSet<_> = set.iter().map(|(c, _)| c.id).collect();
                    assert_eq!(ids.len(), set.len(), "a column twice");
                }
            }
        }
    }
}

#[test]
fn locks_and_channels_of_one_line_share_a_row_with_their_sums() {
    let mut driver = on_crowd(120, 40);
    let row = |driver: &mut Driver, name: &str| {
        let text = driver.text();
        text.lines().find(|l| l.contains(name)).map_or_else(|| panic!("{name}:\n{text}"), str::to_owned)
    };
    driver.keys("3");
    let text = driver.text();
    assert!(text.contains("404 locks from 4 places"), "{text}");
    // 400 of them and the one that was there; a hundred are held, one of them is accused and waited for.
    let sessions = row(&mut driver, "▸ Sessions");
    assert!(sessions.starts_with("✗    401 ▸ Sessions"), "{sessions}");
    assert!(sessions.contains("100/401 held") && sessions.contains("412 ms     3"), "{sessions}");
    driver.keys("4");
    let text = driver.text();
    assert!(text.contains("303 channels from 3 places"), "{text}");
    let events = row(&mut driver, "▸ Event");
    // Their depths are 0, 1, … 299, and the 12,200 of the one that was there.
    assert!(events.contains("301 ▸ Event") && events.contains("57.0k / no limit"), "{events}");

    // In place, one by one, and each by a page of its own.
    driver.keys("3");
    driver.app.place_mut().sort = "waiters";
    driver.keys("vv");
    driver.keys("/sessions<Enter>");
    assert!(driver.text().contains("401 of 404 locks from 1 place"), "{}", driver.text());
    driver.keys("o");
    assert!(driver.text().contains("▾ Sessions") && driver.text().contains("#1007   Sessions"), "{}", driver.text());
    driver.keys("jjo");
    assert!(!driver.text().contains("#1007   Sessions"), "{}", driver.text());
    driver.keys("v");
    assert_eq!(driver.app.derived.rows.order.len(), 401);
    driver.keys("vg<Enter>");
    let text = driver.text();
    assert!(text.contains("Locks › locks of Sessions") && text.contains("401, 100 held"), "{text}");
    assert!(text.contains("#1007         → ✗ lock Sessions (lock 1007) · free, 3 wait for it"), "{text}");
}

#[test]
fn a_few_of_one_line_stay_what_they_are() {
    let mut driver = Driver::bank(120, 40);
    driver.keys("3");
    let text = driver.text();
    assert!(text.contains("alice") && text.contains("bob") && !text.contains("places"), "{text}");
    // Without a crowd there is nothing to open.
    driver.keys("o");
    assert!(driver.text().contains("o (fold) works in Tasks: 2, and where many"), "{}", driver.text());
}

thread_local! {
    /// Cells that were worked out.
    static BUILT: Cell<usize> = const { Cell::new(0) };
}

static COUNTED: &[Column] = &[
    MARK,
    Column {
        id: "counted",
        title: "COUNTED",
        kind: Kind::Text,
        width: Width::Flex(10, 30),
        priority: 1,
        value: |_, _| {
            BUILT.set(BUILT.get() + 1);
            Value::text("cell")
        },
        role: crate::app::column::plain,
    },
];

static COUNTING: Screen = Screen {
    id: "counting",
    title: "Counting",
    key: None,
    about: "counts what is drawn",
    body: Body::Table(Table {
        noun: ("row", "rows"),
        columns: COUNTED,
        sort: "counted",
        then: "counted",
        rows: |_, _, _| Rows::default(),
        empty: |_, _| {},
        above: |_, _| {},
    }),
};

#[test]
fn of_a_hundred_thousand_rows_only_those_that_are_visible_are_built() {
    let mut driver = Driver::shop(80, 24);
    let order: Vec<Entity> = (0..100_000).map(|id| Entity::Task(TaskId(id))).collect();
    driver.app.derived.rows = Rows { total: order.len(), passing: order.len(), order, ..Rows::default() };
    let Body::Table(counting) = &COUNTING.body else { panic!("it is a table") };
    for offset in [0, 50_000, 99_990] {
        let place = Place { offset, ..Place::new(&COUNTING, None) };
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        BUILT.set(0);
        table::draw(&driver.app.cx(), &place, counting, &mut buffer, area);
        // The first two lines are the count and the heads.
        assert_eq!(BUILT.get(), 22.min(100_000 - offset), "from row {offset} on");
    }
}

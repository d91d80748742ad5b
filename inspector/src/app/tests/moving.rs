//! Keys that move: within a screen, along the thread, and back.
use std::time::Duration;

use crate::app::testing::Driver;
use crate::app::{Effect, Entity, fixture};
use crate::model::{LockId, TaskId};

fn subject(driver: &Driver) -> Option<Entity> {
    driver.app.place().subject
}

#[test]
fn the_thread_leads_from_a_waiting_task_to_its_lock_to_the_holder_to_what_that_waits_for_and_back() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2v/id=105<Enter><Enter>");
    assert_eq!(subject(&driver), Some(Entity::Task(TaskId(105))));
    driver.keys("<Enter>");
    assert_eq!(subject(&driver), Some(Entity::Lock(LockId(1))));
    // The first link of a lock that is accused is the finding, but its holder leads on.
    driver.keys("<Enter>");
    assert_eq!(subject(&driver), Some(Entity::Task(TaskId(100))));
    assert!(driver.text().contains("room in mail"), "{}", driver.text());
    for expected in [Some(Entity::Lock(LockId(1))), Some(Entity::Task(TaskId(105))), None, None] {
        driver.keys("<Esc>");
        assert_eq!(subject(&driver), expected);
    }
}

/// The lists whose rows lead somewhere, and the keys that show them.
const LISTS: [(&str, &str); 8] = [
    ("overview", "1"),
    ("tasks by site", "2"),
    ("tasks one by one", "2v"),
    ("locks", "3"),
    ("channels", "4"),
    ("workers", "5"),
    ("findings", "6"),
    ("timeline", "7"),
];

/// Goes into what is selected and looks for `leads`; back again, all must be as it was.
fn there_and_back(driver: &mut Driver, from: &str, leads: &mut dyn FnMut(&mut Driver)) {
    let here = |driver: &Driver| {
        let place = driver.app.place();
        (place.screen.id, place.subject, driver.app.selected(), driver.app.way().len())
    };
    let (before, shown) = (here(driver), driver.text());
    driver.keys("<Enter>");
    assert_ne!(here(driver), before, "a dead end at {:?} of {from}:\n{shown}", before.2);
    let text = driver.text();
    assert!(!text.contains("has ended") && !text.contains("no longer kept"), "{from}:\n{text}");
    leads(driver);
    driver.keys("<Esc>");
    assert_eq!(here(driver), before, "back in {from}");
}

#[test]
fn from_every_row_of_every_list_and_from_every_link_behind_it_there_is_a_way_on_and_back() {
    let mut links = 0;
    for start in [Driver::shop as fn(u16, u16) -> Driver, Driver::bank] {
        let mut driver = start(80, 24);
        driver.recall();
        let mut seen = std::collections::HashSet::new();
        for (list, keys) in LISTS {
            driver.keys(keys);
            driver.keys("g");
            let rows = driver.app.rows();
            assert!(!rows.is_empty() || matches!(list, "channels" | "workers" | "timeline"), "{list}");
            for (n, row) in rows.iter().enumerate() {
                assert_eq!(driver.app.selected(), Some(*row), "{list}");
                there_and_back(&mut driver, list, &mut |driver| {
                    // The links of a page are the same wherever it is come to from.
                    let Some(subject) = driver.app.place().subject.filter(|subject| seen.insert(*subject)) else {
                        return;
                    };
                    let from = format!("{subject:?} in {list}");
                    driver.keys("g");
                    for (n, link) in driver.app.rows().into_iter().enumerate() {
                        down_to(driver, n, &from);
                        assert_eq!(driver.app.selected(), Some(link), "{from}");
                        // What the page itself is about is named among others, and is no way on.
                        if link.entity != subject {
                            there_and_back(driver, &from, &mut |_| links += 1);
                        }
                    }
                    driver.keys("g");
                });
                driver.keys(if n + 1 < rows.len() { "j" } else { "" });
            }
        }
    }
    assert!(links > 200, "{links}");
}

/// Presses `j` until the cursor is on that link.
fn down_to(driver: &mut Driver, link: usize, from: &str) {
    for _ in 0..200 {
        let at = driver.app.place().index;
        if at == link {
            return;
        }
        assert!(at < link, "{from}: one press went past link {link} to {at}");
        driver.keys("j");
    }
    panic!("{from}: link {link} is out of reach of j\n{}", driver.text());
}

/// A site whose newest slow polls are all of one task.
fn slow_site(columns: u16, rows: u16) -> Driver {
    let (mut model, findings) = (fixture::model(), fixture::findings());
    let task = model.tasks[&TaskId(17)].clone();
    let site = model.sites.get_mut(&task.site).unwrap();
    let took = Duration::from_millis(70);
    for ago in (0..4).rev() {
        let at = crate::model::Stamp(model.now.0 - ago * 2_000_000_000);
        site.recent_slow
            .push(crate::model::SlowPoll { at, took, task: task.id, count: 1, longest: took, total: took }, at);
    }
    let mut driver = Driver::new(columns, rows);
    driver.show(model, findings);
    crate::app::way::open(&mut driver.app, Entity::Site(task.site));
    driver
}

#[test]
fn j_goes_on_where_two_links_lead_to_the_same_task_and_one_line_is_lit() {
    let mut driver = slow_site(80, 60);
    let rows = driver.app.rows();
    assert!((1..rows.len()).any(|n| rows[n] == rows[n - 1]), "{rows:?}");
    driver.keys("g");
    for n in 0..rows.len() {
        down_to(&mut driver, n, "the site");
        let lit = driver.roles().lines().skip(2).filter(|line| line.chars().any(char::is_uppercase)).count();
        assert_eq!(lit, 1, "{}", driver.roles());
    }
}

#[test]
fn enter_follows_the_thread_and_does_not_go_back_and_forth() {
    for start in [Driver::shop as fn(u16, u16) -> Driver, Driver::bank] {
        let mut driver = start(80, 24);
        let mut been = Vec::new();
        for _ in 0..4 {
            driver.keys("<Enter>");
            let here = subject(&driver).unwrap();
            if been.last() == Some(&here) {
                let text = driver.text();
                assert!(text.contains("no link leads on from here"), "{text}");
                driver.keys("j<Enter>");
                assert_ne!(subject(&driver), Some(here));
                break;
            }
            assert!(!been.contains(&here), "{been:?}, then {here:?} again");
            been.push(here);
        }
        assert!(been.len() >= 3, "{been:?}");
    }
}

#[test]
fn k_and_the_wheel_go_up_a_page_as_they_went_down_it() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("6j<Enter>");
    driver.keys(&"j".repeat(80));
    let bottom = driver.app.place().offset;
    assert!(bottom > 20, "{}", driver.text());
    driver.keys("k");
    assert_eq!(driver.app.place().offset, bottom - 1);
    driver.mouse(crossterm::event::MouseEventKind::ScrollUp, 5, 10);
    assert_eq!(driver.app.place().offset, bottom - 4);
    // What is out of sight is not gone into.
    let here = subject(&driver);
    driver.keys("<Enter>");
    assert_eq!(subject(&driver), here);
    assert!(driver.app.place().offset < bottom - 20);
    driver.keys("<Enter>");
    assert_ne!(subject(&driver), here);
}

#[test]
fn a_page_that_goes_on_says_how_far() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    let lines = driver.app.page().len();
    let last = |driver: &mut Driver| driver.text().lines().nth(22).unwrap_or_default().to_owned();
    assert!(last(&mut driver).ends_with(&format!("↓ {} more lines", lines - 21)), "{}", driver.text());
    driver.keys("Gk");
    let left = lines - 21 - driver.app.place().offset;
    assert!((1..20).contains(&left) && last(&mut driver).contains(&format!("↓ {left} more line")), "{}", driver.text());
    driver.keys("G");
    assert!(!driver.text().contains("more line"), "{}", driver.text());
}

/// Puts the cursor on the first link of the page in front that `wanted` takes, and goes in.
fn follow(driver: &mut Driver, wanted: impl Fn(Entity) -> bool) {
    let links = driver.app.rows();
    let Some(link) = links.iter().position(|row| wanted(row.entity)) else {
        panic!("no such link among {links:?}\n{}", driver.text())
    };
    driver.keys("g");
    down_to(driver, link, "the page");
    driver.keys("<Enter>");
}

#[test]
fn what_a_page_has_no_room_for_is_one_key_away() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    assert!(driver.app.page().text().contains("and 30 more"), "{}", driver.app.page().text());
    follow(&mut driver, |entity| matches!(entity, Entity::Tasks(_)));
    assert_eq!(driver.app.place().screen.id, "tasks");
    let text = driver.text();
    assert!(text.contains("38 of 53 tasks") && text.contains("/relation:\"waits for lock 1\""), "{text}");
    driver.keys("<Enter><Esc><Esc>");
    assert_eq!(subject(&driver), Some(Entity::Lock(LockId(1))));
    // Those of a site, and those that wait for a worker.
    driver.keys("2/place_order<Enter><Enter>");
    let Some(Entity::Site(site)) = subject(&driver) else { panic!("{}", driver.text()) };
    crate::app::way::open(&mut driver.app, Entity::Tasks(crate::app::Common::Site(site)));
    assert!(driver.text().contains("40 of 53 tasks"), "{}", driver.text());
    driver.keys("5G<Enter>");
    follow(&mut driver, |entity| matches!(entity, Entity::Tasks(_)));
    assert!(driver.text().contains("/state:scheduled"), "{}", driver.text());
}

#[test]
fn a_task_leads_to_the_worker_that_polls_it() {
    let mut driver = Driver::shop(80, 24);
    driver.keys(":task 17<Enter>");
    follow(&mut driver, |entity| matches!(entity, Entity::Worker(_)));
    assert_eq!(driver.app.place().screen.id, "worker");
}

#[test]
fn a_finding_leads_to_the_same_one_before_the_restart_and_back() {
    let mut driver = Driver::shop(80, 24);
    let target = crate::model::Target { instance: 8, pid: 5151, ..fixture::target() };
    driver.hear(crate::source::Event::Connected(Box::new(target.clone())));
    driver.show(crate::model::Model { target, ..fixture::model() }, fixture::findings());
    driver.keys("<Enter>");
    let now = subject(&driver);
    follow(&mut driver, |entity| matches!(entity, Entity::Past(_)));
    let text = driver.text();
    assert!(text.contains("process 4242, which is gone"), "{text}");
    assert!(driver.app.page().text().contains("2.31 s until it ended"), "{}", driver.app.page().text());
    follow(&mut driver, |entity| Some(entity) == now);
    assert_eq!(subject(&driver), now);
}

#[test]
fn findings_do_not_change_places_while_the_cursor_moves() {
    let mut driver = Driver::shop(80, 24);
    driver.wait(Duration::from_secs(5));
    let before = driver.app.rows();
    driver.keys("j");
    let mut findings = fixture::findings();
    findings.reverse();
    driver.show(fixture::model(), findings.clone());
    assert_eq!(driver.app.rows(), before);
    driver.wait(Duration::from_secs(2));
    driver.show(fixture::model(), findings);
    assert_ne!(driver.app.rows(), before);
    assert_eq!(driver.app.selected(), Some(before[1]));
}

#[test]
fn things_of_one_name_are_told_apart_by_their_numbers() {
    let mut driver = Driver::shop(100, 30);
    let mut model = fixture::model();
    let lock = model.locks[&LockId(2)].clone();
    model.locks.insert(LockId(77), crate::model::Lock { id: LockId(77), ..lock });
    let (&id, channel) = model.channels.iter().next().unwrap();
    let other = crate::model::ChannelId(id.0 + 500);
    let twin = crate::model::Channel { id: other, ..channel.clone() };
    model.channels.insert(other, twin);
    driver.show(model, fixture::findings());
    driver.keys("3");
    driver.resize(80, 30);
    let text = driver.text();
    // However narrow the column is, the number is whole.
    assert!(text.contains("… (lock 2)"), "{text}");
    assert!(text.contains("orders ") && !text.contains("orders (lock"), "{text}");
    // Where there is room it has a column.
    driver.resize(120, 30);
    let text = driver.text();
    assert!(text.contains(" #2 Sessions  ") && text.contains("#77 Sessions  "), "{text}");
    driver.keys(":lock 77<Enter>");
    assert_eq!(subject(&driver), Some(Entity::Lock(LockId(77))));
    driver.keys("4");
    let text = driver.text();
    assert!(text.contains(&format!(" #{} ", id.0)) && text.contains(&format!("#{} ", other.0)), "{text}");
}

#[test]
fn going_back_never_quits() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    driver.keys(&"<Esc>h".repeat(20));
    assert_eq!(driver.effects, []);
    assert_eq!(driver.app.place().screen.id, "overview");
    driver.keys("q");
    assert_eq!(driver.effects, [Effect::Quit]);
}

#[test]
fn going_round_in_circles_does_not_grow_without_end() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("3<Enter>");
    for _ in 0..200 {
        driver.keys("j<Enter>");
    }
    assert!(driver.app.way().len() <= 51);
    driver.keys(&"<Esc>".repeat(60));
    assert_eq!(driver.app.place().screen.id, "overview");
}

#[test]
fn the_selection_follows_its_entity_when_rows_move() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2vjjj");
    let chosen = driver.app.selected();
    let mut model = fixture::model();
    // Everything else now waits longer, which puts it above.
    for task in model.tasks.values_mut().filter(|t| Some(Entity::Task(t.id)) != chosen.map(|r| r.entity)) {
        task.waits.iter_mut().for_each(|w| w.since = crate::model::Stamp(1));
    }
    driver.show(model, fixture::findings());
    assert_eq!(driver.app.selected(), chosen);
    assert!(driver.app.place().index > 10, "{}", driver.app.place().index);
}

#[test]
fn when_the_selected_entity_ends_the_cursor_stays_on_its_row() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2vjjjjj");
    let index = driver.app.place().index;
    let Some(Entity::Task(id)) = driver.app.selected().map(|r| r.entity) else { panic!("no task is selected") };
    let mut model = fixture::model();
    model.tasks.remove(&id);
    driver.show(model, fixture::findings());
    assert_eq!(driver.app.place().index, index);
    assert_ne!(driver.app.selected().map(|r| r.entity), Some(Entity::Task(id)));
}

#[test]
fn rows_of_tasks_that_have_ended_go_before_the_list_is_worked_out_again() {
    let mut driver = Driver::shop(120, 60);
    driver.keys("2v");
    driver.wait(Duration::from_secs(2));
    let rows = driver.app.rows().len();
    let ended = crate::model::Batch { gone_tasks: vec![TaskId(105), TaskId(106)], ..crate::model::Batch::default() };
    driver.hear(crate::source::Event::Update(Box::new(ended)));
    assert_eq!(driver.app.rows().len(), rows - 2);
    assert!(!driver.text().contains("#105"), "{}", driver.text());
}

#[test]
fn until_the_operator_moves_the_worst_is_selected() {
    let mut driver = Driver::shop(80, 24);
    let mut findings = fixture::findings();
    findings.remove(0);
    driver.show(fixture::model(), findings.clone());
    assert_eq!(driver.app.selected().map(|r| r.entity), Some(Entity::Finding(findings[0].key())));
}

#[test]
fn n_goes_through_the_findings_wherever_it_is_pressed() {
    let mut driver = Driver::shop(80, 24);
    let findings = fixture::findings();
    driver.keys("2n");
    assert_eq!(subject(&driver), Some(Entity::Finding(findings[0].key())));
    driver.keys("n");
    assert_eq!(subject(&driver), Some(Entity::Finding(findings[1].key())));
    driver.keys("NN");
    // The fifth is over: before the first comes the fourth.
    assert_eq!(subject(&driver), Some(Entity::Finding(findings[3].key())));
    driver.keys("<Esc>");
    assert_eq!(driver.app.place().screen.id, "tasks");
    driver.keys("1nn");
    assert_eq!(driver.app.selected().map(|r| r.entity), Some(Entity::Finding(findings[2].key())));
}

#[test]
fn lists_are_found_again_as_they_were_left() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2vjjj3");
    driver.keys("2");
    assert!(driver.app.place().flat);
    assert_eq!(driver.app.place().index, 3);
    driver.keys("<Tab>");
    assert_eq!(driver.app.place().screen.id, "locks");
    driver.keys("<S-Tab><S-Tab><S-Tab>");
    assert_eq!(driver.app.place().screen.id, "target");
}

#[test]
fn a_spawn_site_opens_in_place_and_closes_again() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2jo");
    assert!(driver.text().contains("#101   place_order"), "{}", driver.text());
    driver.keys("jjo");
    assert!(!driver.text().contains("#101   place_order"));
    assert_eq!(driver.app.place().index, 1);
}

#[test]
fn sorting_goes_through_the_columns_and_turns_round() {
    let mut driver = Driver::shop(120, 40);
    driver.keys("3s");
    assert!(driver.text().contains("by id"));
    let first = driver.app.derived.rows.order[0];
    driver.keys("S");
    assert_ne!(driver.app.derived.rows.order[0], first);
}

#[test]
fn half_pages_and_pages_move_by_what_is_visible() {
    // Of 24 lines, 19 are rows: the others are the first and the last line, the tabs, the count and the heads.
    for (keys, index) in [
        ("<C-d>", 9),
        ("<C-d><C-d>", 18),
        ("<C-d><C-d><C-u>", 9),
        ("<C-u>", 0),
        ("<PgDn>", 19),
        ("<PgDn><PgDn>", 38),
        ("<PgDn><PgDn><PgUp>", 19),
        ("<PgDn><PgDn><PgDn>", 52),
        ("G<PgUp>", 33),
    ] {
        let mut driver = Driver::shop(80, 24);
        driver.keys("2v");
        driver.keys(keys);
        assert_eq!(driver.app.place().index, index, "{keys}");
        let selected = driver.roles().lines().position(|line| line.chars().any(|c| c.is_ascii_uppercase()));
        assert!(selected.is_some(), "the selected row is out of sight after {keys}:\n{}", driver.text());
    }
    let mut driver = Driver::shop(80, 24);
    driver.keys("?<C-d>");
    assert_eq!(driver.app.place().offset, 10);
    driver.keys("<PgDn>");
    assert_eq!(driver.app.place().offset, 31);
    driver.keys("<C-u><PgUp>");
    assert_eq!(driver.app.place().offset, 0);
}

#[test]
fn a_frozen_view_stands_still_while_data_arrives() {
    let mut driver = Driver::shop(80, 24);
    driver.keys(" ");
    let frozen = driver.text();
    assert!(frozen.contains("FROZEN"));
    driver.show(fixture::model(), Vec::new());
    driver.wait(Duration::from_millis(300));
    assert_eq!(driver.text(), frozen);
    driver.keys(" ");
    assert!(driver.text().contains("No rule fires"));
}

#[test]
fn ctrl_c_and_ctrl_z_work_in_the_middle_of_a_filter() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2/abc<C-z><C-c>");
    assert_eq!(driver.effects, [Effect::Suspend, Effect::Interrupt]);
}

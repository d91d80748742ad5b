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
    // The first link of a lock that is accused is the finding; then comes its holder.
    driver.keys("j<Enter>");
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
                    for (n, link) in driver.app.rows().into_iter().enumerate() {
                        driver.keys(if n == 0 { "" } else { "j" });
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
    assert!(driver.text().contains("#101 place_order"));
    driver.keys("jjo");
    assert!(!driver.text().contains("#101 place_order"));
    assert_eq!(driver.app.place().index, 1);
}

#[test]
fn sorting_goes_through_the_columns_and_turns_round() {
    let mut driver = Driver::shop(120, 40);
    driver.keys("3s");
    assert!(driver.text().contains("by name"));
    let first = driver.app.derived.rows.order[0];
    driver.keys("S");
    assert_ne!(driver.app.derived.rows.order[0], first);
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
    assert!(driver.text().contains("Nothing is wrong"));
}

#[test]
fn ctrl_c_and_ctrl_z_work_in_the_middle_of_a_filter() {
    let mut driver = Driver::shop(80, 24);
    driver.keys("2/abc<C-z><C-c>");
    assert_eq!(driver.effects, [Effect::Suspend, Effect::Interrupt]);
}

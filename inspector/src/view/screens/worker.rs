//! One thread that polls: how busy it is, what it is in, and what waits for it.

use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Common, Cx, Entity, Place, names};
use crate::model::WorkerKind;
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "worker",
    title: "Worker",
    key: None,
    about: "one thread that polls: how busy it is, what it is in, what waits for it",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(Entity::Worker(id)) = place.subject else { return };
    let Some(worker) = cx.model.workers.get(&id) else {
        page.words(Role::Muted, "This thread has ended.");
        return;
    };
    let kind = match worker.kind {
        WorkerKind::Worker => "a worker of a runtime",
        WorkerKind::BlockOn => "in a block_on",
        WorkerKind::Blocking => "of the blocking pool",
        WorkerKind::Untold => "of a kind that is not told",
    };
    page.line(vec![(Role::Strong, format!("{}, {kind}", names::worker(worker)))]);
    page.bar("busy now", worker.busy_share, Role::Info, &figures::share(worker.busy_share));
    page.fact("polls", Role::Text, &format!("{}/s", figures::rate(worker.polls_per_s)));
    if cx.model.target.sees("runtimes") {
        page.fact("parks", Role::Text, &format!("{}/s", figures::rate(worker.parks_per_s)));
    }
    if let Some(detail) = worker.detail {
        page.fact("local queue", Role::Text, &figures::count(detail.local_queue));
        page.fact("steals", Role::Text, &format!("{}/s", figures::rate(detail.steals_per_s)));
    }
    if worker.cpu_wait_share > 0.0 {
        let text = format!("{} of the time: the machine is full", figures::share(worker.cpu_wait_share));
        page.fact("without CPU", Role::Text, &text);
    }
    let Some((task, since)) = worker.poll else {
        page.fact("polls now", Role::Muted, "nothing: it waits for work");
        page.link(
            "ready",
            "ready",
            Entity::Tasks(Common::Scheduled),
            "tasks that wait for a worker",
            "woken, not polled yet",
        );
        return;
    };
    let took = format!("for {}", figures::duration(cx.model.now.since(since)));
    page.link("poll", "polls now", Entity::Task(task), &names::task_id(cx.model, task), &took);
    page.blank();
    super::task::about(cx, task, page);
}

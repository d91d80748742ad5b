//! One finding, with the rule behind it.

use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::lints::{Confidence, LocationRole, RULES, in_words};
use crate::text::figures;
use crate::view::wait_tree;

pub(crate) static SCREEN: Screen = Screen {
    id: "finding",
    title: "Finding",
    key: None,
    about: "one finding: the evidence beside its limits, what to do, and the rule explained",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(entity) = place.subject else { return };
    let Some(finding) = cx.finding(entity) else {
        let back = cx.key(Action::Back);
        page.words(Role::Muted, &format!("This finding is over and no longer kept. {back} goes back."));
        return;
    };
    let g = cx.glyphs;
    let role = if finding.active() { Role::from(finding.severity) } else { Role::Muted };
    let head =
        format!("{} {} {}", g.severity(finding.severity), finding.severity.to_string().to_uppercase(), finding.rule);
    page.line(vec![(role, head)]);
    page.words(Role::Strong, &finding.message);
    page.blank();
    let (location, role) = finding.line();
    page.place("open", location);
    if role != LocationRole::Unknown {
        page.fact("", Role::Text, &role.to_string());
    }
    if let Some(who) = finding.who() {
        page.fact("who", Role::Text, who);
    }
    if let Some(past) = cx.app.past().iter().find(|past| entity == Entity::Past(past.id)) {
        page.fact("in", Role::Text, &format!("process {}, which is gone", past.pid));
    }
    super::timeline::seen(cx, entity, page);
    page.fact("fix", Role::Ok, &finding.advice);
    let subject = Entity::from(finding.subject.kind);
    let current = cx.is_of_this_run(entity);
    if current && subject.exists(cx.model) {
        page.link("subject", "look at", subject, &names::entity(cx, subject), "");
    } else {
        page.fact("was about", Role::Text, &finding.subject.name);
    }
    super::again(cx, entity, finding, page);
    if current && finding.cycle.is_empty() {
        relations(cx, subject, page);
    } else if current {
        wait_tree::tree(cx, subject, page);
        super::waiters(cx, subject, page, 3);
    }

    super::stack(cx, subject, page);

    page.heading("Evidence");
    for evidence in finding.measures().filter(|e| e.name != "cycle" || finding.cycle.is_empty()) {
        let limit = evidence.warns().map_or_else(String::new, |warns| format!("   {warns}"));
        let role = if evidence.limit.is_empty() { Role::Text } else { Role::Strong };
        page.fact(&in_words(evidence.name), role, &format!("{}{limit}", evidence.value_text()));
    }
    page.fact("lasting", Role::Text, &names::lasting_of(cx, entity, finding));
    page.fact("count", Role::Text, &figures::count(finding.count));
    let sure = match finding.confidence {
        Confidence::Certain => "certain: it was seen",
        Confidence::Likely => "likely: inferred from incomplete facts",
    };
    page.fact("how sure", Role::Text, sure);

    if let Some(rule) = RULES.iter().find(|r| r.id == finding.rule) {
        page.heading(&format!("What {} means", rule.id));
        page.words(Role::Text, rule.summary);
        page.blank();
        page.explanation(Role::Text, rule.explain);
    }
}

/// Who is involved, one key away.
fn relations(cx: &Cx, subject: Entity, page: &mut Page) {
    match subject {
        Entity::Lock(id) => {
            let Some(lock) = cx.model.locks.get(&id) else { return };
            if lock.holder.0 != 0 {
                let held = lock
                    .held_since
                    .map_or_else(String::new, |s| format!("holds it for {}", figures::duration(cx.model.now.since(s))));
                page.link("holder", "holder", Entity::Task(lock.holder), &names::task_id(cx.model, lock.holder), &held);
            }
            super::waiters(cx, subject, page, 3);
        }
        Entity::Channel(id) => {
            let Some(channel) = cx.model.channels.get(&id) else { return };
            if channel.receiver_task.0 != 0 {
                let task = channel.receiver_task;
                page.link("receiver", "receiver", Entity::Task(task), &names::task_id(cx.model, task), "");
            }
            if channel.sender_task.0 != 0 {
                let task = channel.sender_task;
                page.link("sender", "last sender", Entity::Task(task), &names::task_id(cx.model, task), "");
            }
        }
        Entity::Site(_) => super::children(cx, subject, page, 3),
        _ => {}
    }
}

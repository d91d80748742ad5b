//! All locks, or all channels, that one line of code makes.

use std::cmp::Reverse;

use crate::app::groups::{ChannelSum, LockSum};
use crate::app::page::Page;
use crate::app::theme::Role;
use crate::app::{Cx, Entity, names};
use crate::lints::SubjectKind;
use crate::model::{Age, Site, SiteId, SiteKind};
use crate::text::{counted, figures};

/// How a group is called in a table, with the sign of whether it is open.
pub(super) fn group(cx: &Cx, id: SiteId) -> String {
    let sign = if cx.app.place().open.contains(&id) { cx.glyphs.open } else { cx.glyphs.closed };
    format!("{sign} {}", names::site(cx.model, id))
}

/// The name of what stands in a table, indented below the group that it is of.
pub(super) fn inside(cx: &Cx, entity: Entity, name: String) -> String {
    let place = cx.app.place();
    let grouped = !place.flat
        && names::made_at(cx.model, entity)
            .is_some_and(|site| place.open.contains(&site) && cx.derived.groups.many(site));
    if grouped { format!("  {name}") } else { name }
}

/// Members that are named, the worst first.
const NAMED: usize = 40;

/// The page about the locks or channels of `site`; false when it makes neither.
pub(super) fn page(cx: &Cx, site: &Site, page: &mut Page) -> bool {
    match site.kind {
        SiteKind::Lock => locks(cx, site, page),
        SiteKind::Channel => channels(cx, site, page),
        _ => return false,
    }
    true
}

fn head(cx: &Cx, site: &Site, what: &str, page: &mut Page) {
    page.line(vec![(Role::Strong, format!("{what} of {}", names::site(cx.model, site.id)))]);
    page.place("created at", &site.location);
    super::accuse(cx, page, |finding| {
        let one = Entity::from(finding.subject.kind);
        !matches!(finding.subject.kind, SubjectKind::Task(_)) && names::made_at(cx.model, one) == Some(site.id)
    });
}

/// Links to the worst of `all`.
fn name(cx: &Cx, mut all: Vec<(impl Ord, Entity, String)>, page: &mut Page) {
    page.heading("The worst of them");
    let rank = |entity| cx.mark(entity).map_or(0, |severity| severity as u8 + 1);
    all.sort_by(|a, b| (rank(b.1), &b.0, Reverse(b.1.ordinal())).cmp(&(rank(a.1), &a.0, Reverse(a.1.ordinal()))));
    for (_, entity, remark) in all.iter().take(NAMED) {
        let mark = cx.mark(*entity).map_or_else(String::new, |severity| format!("{} ", cx.glyphs.severity(severity)));
        let number = entity.number().map_or_else(String::new, |number| format!("#{number}"));
        page.link("member", &number, *entity, &format!("{mark}{}", names::entity(cx, *entity)), remark);
    }
    super::more(all.len(), all.len().min(NAMED), page);
}

fn locks(cx: &Cx, site: &Site, page: &mut Page) {
    head(cx, site, "Locks", page);
    let now = cx.model.now;
    let mut sum = LockSum::default();
    let mut all = Vec::new();
    for lock in cx.model.locks.values().filter(|lock| lock.site == site.id) {
        sum.add(lock, None);
        let held =
            lock.held_since.map_or_else(|| "free".to_owned(), |s| format!("held {}", figures::duration(now.since(s))));
        let remark = match lock.waiters {
            0 => held,
            n => format!("{held}, {} for it", counted_waits(n.into())),
        };
        all.push(((lock.waiters, lock.held_since.map(Reverse)), Entity::Lock(lock.id), remark));
    }
    page.heading("All of them");
    page.fact("kind", Role::Text, super::locks::kind(sum.kind));
    page.fact("locks", Role::Text, &format!("{}, {} held", figures::count(sum.locks), figures::count(sum.held)));
    if let Some(since) = sum.held_since {
        page.fact("longest held", Role::Text, &figures::duration(now.since(since)));
    }
    page.fact("waiting", if sum.waiters > 0 { Role::Strong } else { Role::Text }, &figures::count(sum.waiters));
    page.fact("acquires/s", Role::Text, &figures::rate(sum.acquires_per_s));
    name(cx, all, page);
}

fn counted_waits(n: u64) -> String {
    if n == 1 { "1 waits".to_owned() } else { format!("{} wait", figures::count(n)) }
}

fn channels(cx: &Cx, site: &Site, page: &mut Page) {
    head(cx, site, "Channels", page);
    let mut sum = ChannelSum::default();
    let mut all = Vec::new();
    for channel in cx.model.channels.values().filter(|channel| channel.site == site.id) {
        sum.add(channel, None);
        let depth = match channel.capacity {
            Some(capacity) => format!("{} of {}", figures::count(channel.depth()), figures::count(capacity)),
            None => figures::count(channel.depth()),
        };
        let remark = match channel.blocked_senders {
            0 => depth,
            n => format!("{depth}, {} for room", counted_waits(n.into())),
        };
        all.push(((channel.blocked_senders, channel.depth()), Entity::Channel(channel.id), remark));
    }
    page.heading("All of them");
    page.fact("kind", Role::Text, super::channels::kind(sum.kind));
    page.fact("channels", Role::Text, &format!("{}, {} full", figures::count(sum.channels), figures::count(sum.full)));
    page.fact("messages", Role::Text, &counted(sum.depth, "message"));
    if let Some(oldest) = sum.oldest {
        page.fact("oldest", Role::Text, &age(oldest));
    }
    page.fact("blocked", if sum.blocked > 0 { Role::Warn } else { Role::Text }, &counted(sum.blocked, "sender"));
    let rate = |r: f64| format!("{}/s", figures::rate(r));
    page.spark("depth", &sum.depth_s, &figures::count(sum.depth));
    page.fact("sent", Role::Text, &rate(sum.sent_per_s));
    page.fact("received", Role::Text, &rate(sum.received_per_s));
    name(cx, all, page);
}

/// `3.10 s`, or `>60.0 s` where it is not known more exactly.
pub(super) fn age(age: Age) -> String {
    match age {
        Age::About(span) => figures::duration(span),
        Age::AtLeast(span) => format!(">{}", figures::duration(span)),
    }
}

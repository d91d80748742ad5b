//! What cannot be seen of what a place is about.

use super::page::Page;
use super::screen::Screen;
use super::theme::Role;
use super::{Cx, Entity, Place};
use crate::model::Blind;

/// What a screen is about, in the terms of [`Blind::about`]: everything where it is not one kind of thing. `None` where
/// nothing could be missing, and where all is said.
fn about(cx: &Cx, screen: &Screen, subject: Option<Entity>) -> Option<&'static str> {
    match screen.id {
        "overview" | "findings" | "timeline" => Some(""),
        "tasks" | "task" | "site" => Some("tasks"),
        "locks" | "lock" => Some("locks"),
        "channels" | "channel" => Some("channels"),
        "workers" | "worker" => Some("workers"),
        "finding" => {
            let finding = subject.and_then(|subject| cx.finding(subject))?;
            match Entity::from(finding.subject.kind) {
                Entity::Lock(_) => Some("locks"),
                Entity::Channel(_) => Some("channels"),
                Entity::Worker(_) => Some("workers"),
                _ => Some("tasks"),
            }
        }
        _ => None,
    }
}

/// What keeps everything from being seen is said of each kind of thing, and first.
fn unseen<'a>(cx: &Cx<'a>, screen: &Screen, subject: Option<Entity>) -> Vec<&'a Blind> {
    let Some(about) = about(cx, screen, subject) else { return Vec::new() };
    let of = |name: &'static str| cx.model.target.blind.iter().filter(move |blind| blind.about == name);
    match about {
        "" => cx.model.target.blind.iter().collect(),
        about => of("target").chain(of(about)).collect(),
    }
}

/// The same in short, for pages: it must not take the room of what is there to be seen.
pub(crate) fn below(cx: &Cx, place: &Place, page: &mut Page) {
    let spots = unseen(cx, place.screen, place.subject).len();
    if spots > 0 {
        page.blank();
        page.words(Role::Muted, &counted(spots));
    }
}

/// What cannot be seen of what a place is about, why, and what to change: for an empty list, which may be empty for it.
pub(crate) fn in_full(cx: &Cx, place: &Place, page: &mut Page) {
    let unseen = unseen(cx, place.screen, place.subject);
    if unseen.is_empty() {
        return;
    }
    page.heading("Not visible in this service");
    spots(cx, &unseen, page);
}

/// Each with its reason; what to change is said once for those that follow each other and need the same.
pub(crate) fn spots(cx: &Cx, blind: &[&Blind], page: &mut Page) {
    for (n, spot) in blind.iter().enumerate() {
        page.words(Role::Text, &format!("{}: {}", spot.what, spot.why));
        if blind.get(n + 1).is_none_or(|next| next.remedy != spot.remedy) {
            page.words(Role::Muted, &format!("{} {}", cx.glyphs.right, spot.remedy));
        }
    }
}

/// How much that is, for where there is one line.
pub(crate) fn in_short(cx: &Cx, screen: &Screen) -> Option<String> {
    let spots = unseen(cx, screen, None).len();
    (spots > 0).then(|| counted(spots))
}

/// `5 blind spots: press 8`
fn counted(spots: usize) -> String {
    format!("{}: press 8", crate::text::counted(spots as u64, "blind spot"))
}

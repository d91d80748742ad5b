//! One channel: how full, where it is going, who sends and who receives.
use std::time::Duration;

use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::model::{Channel, ChannelKind, Series, TaskId};
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "channel",
    title: "Channel",
    key: None,
    about: "one channel: how full it is, time to full or to drain, who sends and who receives",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(Entity::Channel(id)) = place.subject else { return };
    let Some(channel) = cx.model.channels.get(&id) else {
        page.words(Role::Text, &format!("This channel has been dropped. {} goes back.", cx.key(Action::Back)));
        return;
    };
    let model = cx.model;
    let entity = Entity::Channel(id);
    let head = format!("{} channel {}", super::channels::kind(channel.kind), names::channel(model, id));
    page.line(vec![(Role::Strong, head)]);
    page.place("created at", names::location(model, channel.site));
    super::accusations(cx, entity, page);
    page.blank();

    let depth = channel.depth();
    match channel.capacity {
        Some(0) => page.fact("depth", Role::Muted, "not told: it was never seen with room"),
        Some(capacity) => {
            let share = depth as f64 / capacity as f64;
            let role = if depth >= capacity { Role::Warn } else { Role::Info };
            page.bar("depth", share, role, &format!("{} of {}", figures::count(depth), figures::count(capacity)));
        }
        None if channel.kind == ChannelKind::Watch => {
            let text = if channel.unseen() > 0 {
                "the newest value has not been seen by any receiver"
            } else {
                "the newest value was seen"
            };
            page.fact("value", Role::Text, text);
        }
        None => page.fact("depth", Role::Strong, &format!("{}, without a limit", figures::count(depth))),
    }
    if let Some(oldest) = channel.oldest() {
        page.fact("oldest", Role::Text, &format!("{}, a message that nobody has received", super::group::age(oldest)));
    }
    if let Some((role, text)) = outlook(channel) {
        page.fact("outlook", role, &text);
    }
    if channel.blocked_senders > 0 {
        let text = match channel.blocked_senders {
            1 => "1 sender waits for room".to_owned(),
            n => format!("{} senders wait for room", figures::count(n.into())),
        };
        page.fact("blocked", Role::Warn, &text);
    }
    if channel.lagged > 0 {
        let when = channel
            .last_lag_at
            .map_or_else(String::new, |at| format!(", last {} ago", figures::duration(model.now.since(at))));
        let (times, lost) = (figures::count(channel.lagged), figures::count(channel.messages_lost));
        page.fact("lagged", Role::Warn, &format!("{times} times, {lost} messages lost{when}"));
        if channel.last_lag_task != TaskId(0) {
            let name = names::task_id(model, channel.last_lag_task);
            page.link("lagging", "  by", Entity::Task(channel.last_lag_task), &name, "");
        }
        page.place("  at", names::location(model, channel.last_lag_site));
    }
    if channel.unheard > 0 {
        let text = format!("{} were sent while nobody could receive them", figures::count(channel.unheard));
        page.fact("unheard", Role::Text, &text);
    }
    if channel.closed {
        page.fact("closed", Role::Warn, "no more messages can be sent");
    }
    super::waiters(cx, entity, page, 10);

    page.heading("Last 60 s");
    let rate = |series: &Series| figures::rate(series.last().unwrap_or(0.0));
    page.chart(&channel.depth_s, channel.capacity.map(|c| c as f64), 5);
    let (sent, received) = (rate(&channel.sent_s), rate(&channel.received_s));
    page.sparks(&[("sent/s", &channel.sent_s, &sent), ("received/s", &channel.received_s, &received)]);

    page.heading("Who receives");
    end(
        cx,
        page,
        "receiver",
        channel.receiver_task,
        channel.last_recv_at.map(|s| model.now.since(s)),
        "asked",
        channel.inferred,
    );
    page.place("at", names::location(model, channel.recv_site));
    handles(page, channel, channel.receivers);
    page.heading("Who sends");
    end(
        cx,
        page,
        "last sender",
        channel.sender_task,
        channel.last_send_at.map(|s| model.now.since(s)),
        "sent",
        channel.inferred,
    );
    page.place("at", names::location(model, channel.send_site));
    handles(page, channel, channel.senders);

    page.heading("In all");
    page.fact("sent", Role::Text, &figures::count(channel.sent));
    page.fact("received", Role::Text, &figures::count(channel.received));
    if channel.sends_blocked > 0 {
        let mean = channel.send_wait_total.as_nanos() / u128::from(channel.sends_blocked);
        let mean = Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX));
        let text =
            format!("{} sends, {} each on average", figures::count(channel.sends_blocked), figures::duration(mean));
        page.fact("had to wait", Role::Text, &text);
    }
}

fn handles(page: &mut Page, channel: &Channel, count: u32) {
    if !channel.inferred {
        page.fact("handles", Role::Text, &figures::count(count.into()));
    }
}

fn end(cx: &Cx, page: &mut Page, label: &'static str, task: TaskId, ago: Option<Duration>, did: &str, inferred: bool) {
    let when = ago.map_or_else(String::new, |ago| format!("{did} {} ago", figures::duration(ago)));
    if task == TaskId(0) {
        let text = match when.as_str() {
            "" => format!("nobody has {did} yet"),
            when if inferred => format!("not known who; somebody {when}"),
            when => format!("outside any task, {when}"),
        };
        page.fact(label, Role::Muted, &text);
    } else {
        let doing = cx.model.tasks.get(&task).map_or_else(String::new, |task| {
            let since = figures::duration(cx.model.now.since(task.state_since));
            match task.waits.first() {
                Some(wait) => format!("; waits for {} for {since}", names::wait(cx.model, wait)),
                None => format!("; {} for {since}", names::state(task.state)),
            }
        });
        page.link(label, label, Entity::Task(task), &names::task_id(cx.model, task), &format!("{when}{doing}"));
    }
}

/// Where the depth is going, from the last ten seconds.
fn outlook(channel: &Channel) -> Option<(Role, String)> {
    let points: Vec<f64> = channel.depth_s.points().rev().take(10).collect();
    let (newest, oldest) = (points.first()?, points.last()?);
    if points.len() < 5 {
        return None;
    }
    let slope = (newest - oldest) / (points.len() - 1) as f64;
    if !slope.is_finite() || slope.abs() < 0.1 {
        return None;
    }
    let seconds = |s: f64| figures::seconds(Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    let depth = channel.depth() as f64;
    Some(match channel.capacity {
        _ if slope < 0.0 => {
            (Role::Ok, format!("drains by {}/s, empty in {}", figures::rate(-slope), seconds(depth / -slope)))
        }
        Some(capacity) if (capacity as f64) > depth => {
            let left = (capacity as f64 - depth) / slope;
            (Role::Warn, format!("grows by {}/s, full in {}", figures::rate(slope), seconds(left)))
        }
        Some(_) => return None,
        None => (Role::Warn, format!("grows by {}/s, and nothing stops it", figures::rate(slope))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(capacity: Option<u64>, depths: &[f64]) -> Option<String> {
        let mut channel = Channel { capacity, sent: *depths.last().unwrap() as u64, ..Channel::default() };
        for depth in depths {
            channel.depth_s.push(*depth);
        }
        outlook(&channel).map(|(_, text)| text)
    }

    #[test]
    fn it_is_told_when_it_will_be_full_or_empty_or_that_nothing_stops_it() {
        let rising = [0.0, 10.0, 20.0, 30.0, 40.0];
        let falling = [40.0, 38.0, 36.0, 34.0, 32.0];
        assert_eq!(told(Some(100), &rising).as_deref(), Some("grows by 10.0/s, full in 6s"));
        assert_eq!(told(None, &rising).as_deref(), Some("grows by 10.0/s, and nothing stops it"));
        assert_eq!(told(Some(100), &falling).as_deref(), Some("drains by 2.0/s, empty in 16s"));
        assert_eq!(told(None, &falling).as_deref(), Some("drains by 2.0/s, empty in 16s"));
        // It is full; it stays as it is; it has not been looked at for long enough.
        assert_eq!(told(Some(40), &rising), None);
        assert_eq!(told(Some(100), &[40.0; 10]), None);
        assert_eq!(told(Some(100), &rising[..4]), None);
    }
}

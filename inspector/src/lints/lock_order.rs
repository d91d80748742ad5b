//! Locks that are taken in opposite orders, before that has stopped anybody.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, Subject, SubjectKind, words};
use crate::model::{LockId, LockOrder, Model, SiteId};
use crate::text;

const TIMES: Threshold = Threshold::count("times", 1, "each of the orders was seen so often");

pub(super) const RULE: Rule = Rule {
    id: "lock-order",
    severity: Severity::Info,
    summary: "locks are taken in opposite orders: a deadlock that has not happened yet",
    explain: EXPLAIN,
    thresholds: &[TIMES],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &["deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
One task took a lock while it held another one, and elsewhere the same two, or locks made at the same two places, were
taken the other way round. The line that is named is the second `lock` of the order that was seen less.

Why it hurts
  Nobody has waited for ever yet: that takes two tasks that do it at the same moment. Under load they will, and then it
  is `deadlock`: both stop, and everybody who needs either lock after them.

WRONG
  async fn order(shop: &Shop) {
      let stock = shop.stock.lock().await;
      let orders = shop.orders.lock().await;        // stock, then orders
  }
  async fn cancel(shop: &Shop) {
      let orders = shop.orders.lock().await;
      let stock = shop.stock.lock().await;          // orders, then stock
  }

RIGHT
  async fn cancel(shop: &Shop) {
      let stock = shop.stock.lock().await;          // the same order everywhere
      let orders = shop.orders.lock().await;
  }

  // or never hold two: let go of the first before the second
  let lines = shop.orders.lock().await.take(id);
  shop.stock.lock().await.put_back(lines);

Thresholds
  times = 1   each of the orders was seen so often

Guards of a Mutex and guards to write are known as held; where one lock was held around both orders, nothing is said.
";

/// What is locked: any lock of one place, or, of two that were made at one place, one of them.
type Node = (SiteId, Option<LockId>);

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    // Several threads may have counted one order under several ids.
    let mut orders: BTreeMap<(Node, Node), LockOrder> = BTreeMap::new();
    for order in cx.model.lock_orders.values() {
        let known = orders.entry(ends(order)).or_insert(LockOrder { times: 0, ..*order });
        let times = known.times.saturating_add(order.times);
        let newest = if order.last_at >= known.last_at { *order } else { *known };
        let around = known.around.filter(|around| order.around == Some(*around));
        *known = LockOrder { times, around, ..newest };
    }
    let mut seen = BTreeSet::new();
    for (&(first, second), order) in &orders {
        let back = orders.get(&(second, first)).map(|back| vec![order, back]);
        let around = || orders.range((second, Node::default())..).take_while(|((from, _), _)| *from == second);
        let circle = back
            .or_else(|| around().find_map(|(&(_, third), next)| Some(vec![order, next, orders.get(&(third, first))?])));
        let Some(circle) = circle else { continue };
        let mut nodes: Vec<Node> = circle.iter().map(|order| ends(order).0).collect();
        nodes.sort_unstable();
        let often = circle.iter().all(|order| order.times >= cx.count(&TIMES));
        if seen.insert(nodes) && often && !is_kept_apart(&circle) {
            out.extend(judge(cx, &circle));
        }
    }
}

fn ends(order: &LockOrder) -> (Node, Node) {
    let (first, second) = order.locks.unzip();
    ((order.first, first), (order.second, second))
}

/// Whether one lock is held around all of them, so that nobody can be in two at a time.
fn is_kept_apart(circle: &[&LockOrder]) -> bool {
    circle.iter().all(|order| order.around.is_some() && order.around == circle[0].around)
}

fn judge(cx: &Cx, circle: &[&LockOrder]) -> Option<Candidate> {
    let model = cx.model;
    let rare = circle.iter().min_by_key(|order| (order.times, std::cmp::Reverse(order.last_at), order.id))?;
    let subject = subject(model, rare);
    // The one to change first.
    let begins = circle.iter().position(|order| order.id == rare.id).unwrap_or_default();
    let mut circle = circle.to_vec();
    circle.rotate_left(begins);
    let told: Vec<String> = circle.iter().map(|order| tell(model, order)).collect();
    let mut lines: Vec<&str> = circle.iter().map(|order| words::place(model, order.second_site)).collect();
    lines.sort_unstable();
    let group = lines.join(" ");
    let mut causes: Vec<String> = vec![group.clone()];
    causes.extend(circle.iter().map(|order| words::place(model, order.first).to_owned()));
    causes.retain(|place| !place.is_empty());
    let named = |site| format!("`{}`", name(model, site));
    let lines: Vec<String> = circle.iter().map(|order| in_short(model, order)).collect();
    let lines = lines.join(", ");
    let (message, advice) = match circle.as_slice() {
        [one, _] if one.first == one.second => (
            format!("two {} locks are taken in both orders, which can deadlock", named(one.first)),
            format!("Sort the two before the first lock, for example by id, {OR}"),
        ),
        [one, _] => {
            let (first, second) = (named(one.first), named(one.second));
            let at = match words::place(model, one.first_site) {
                "" => "Where it is seen less often,".to_owned(),
                place => format!("At {}", text::file_line(place)),
            };
            (
                format!("locks {first} and {second} are taken in both orders, which can deadlock: {lines}"),
                format!("{at} lock {second} before {first}, as is done elsewhere."),
            )
        }
        _ => (
            format!("{} locks are taken in a cycle, which can deadlock: {lines}", circle.len()),
            format!("Take them in the same order everywhere, {OR}"),
        ),
    };
    let mut evidence = vec![
        Evidence::list("orders", told).aside(),
        Evidence::words("first_created_location", words::place(model, rare.first)).aside(),
        Evidence::words("second_created_location", words::place(model, rare.second)).aside(),
        Evidence::words("first_location", words::place(model, rare.first_site)),
        Evidence::words("second_location", words::place(model, rare.second_site)),
        Evidence::count("times_seen", rare.times).aside(),
    ];
    evidence.retain(|evidence| !evidence.text.is_empty());
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        // Whether the places' locks are ever the same two is not known; of two locks of one place it is.
        confidence: if rare.locks.is_some() { Confidence::Certain } else { Confidence::Likely },
        hurt: rare.times,
        open: Spot::of(words::place(model, rare.first_site), LocationRole::Locked),
        causes,
        ..Candidate::enter(subject, &group, Severity::Info)
    })
}

const OR: &str = "or drop the first guard before you lock the second.";

fn name(model: &Model, site: SiteId) -> String {
    model.sites.get(&site).map_or_else(|| "?".to_owned(), |site| words::site_subject(site).name)
}

fn subject(model: &Model, order: &LockOrder) -> Subject {
    let of_place = || model.locks.values().filter(|lock| lock.site == order.second).map(|lock| lock.id).min();
    let lock = order.locks.map(|(_, second)| second).or_else(of_place);
    Subject {
        kind: lock.map_or(SubjectKind::Site(order.second), SubjectKind::Lock),
        name: name(model, order.second),
        location: words::place(model, order.second_site).to_owned(),
        role: LocationRole::Locked,
    }
}

/// `Stock` (shop.rs:10) before `Orders` (shop.rs:11) 120 times
fn in_short(model: &Model, order: &LockOrder) -> String {
    let at = |site: SiteId| match words::place(model, site) {
        "" => String::new(),
        place => format!(" ({})", text::file_line(place)),
    };
    format!(
        "`{}`{} before `{}`{} {}",
        name(model, order.first),
        at(order.first_site),
        name(model, order.second),
        at(order.second_site),
        text::counted(order.times, "time"),
    )
}

/// `Stock` at shop.rs:10, then `Orders` at shop.rs:11 (120 times)
fn tell(model: &Model, order: &LockOrder) -> String {
    let at = |site: SiteId| words::at(words::place(model, site));
    format!(
        "`{}`{}, then `{}`{} ({})",
        name(model, order.first),
        at(order.first_site),
        name(model, order.second),
        at(order.second_site),
        text::counted(order.times, "time"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::*;

    struct Shop {
        judged: Judged,
        made: [SiteId; 3],
        lines: [SiteId; 4],
    }

    fn shop() -> Shop {
        let mut judged = Judged::new();
        let made = [
            ("src/shop.rs:3:3", "shop::Stock"),
            ("src/shop.rs:4:3", "shop::Orders"),
            ("src/shop.rs:5:3", "shop::Mail"),
        ];
        let made = made.map(|(place, name)| judged.target.lock_site(place, name));
        let lines = ["src/shop.rs:10:9", "src/shop.rs:11:9", "src/shop.rs:20:9", "src/shop.rs:21:9"];
        let lines = lines.map(|place| judged.target.call_site(place));
        judged.target.lock(made[0]);
        judged.settle();
        Shop { judged, made, lines }
    }

    impl Shop {
        fn order(&self, id: u32, first: usize, second: usize, times: u64) -> LockOrder {
            let line = if first < second { 0 } else { 2 };
            LockOrder {
                id,
                first: self.made[first],
                second: self.made[second],
                first_site: self.lines[line],
                second_site: self.lines[line + 1],
                times,
                last_at: self.judged.target.now,
                ..LockOrder::default()
            }
        }
    }

    #[test]
    fn two_places_whose_locks_are_taken_in_both_orders_are_named_with_all_lines() {
        let mut shop = shop();
        shop.judged.target.lock_order(shop.order(0, 0, 1, 120));
        shop.judged.run(ms(300));
        shop.judged.expect_nothing();
        shop.judged.target.lock_order(shop.order(1, 1, 0, 3));
        shop.judged.run(ms(300));
        let finding = shop.judged.only("lock-order");
        assert_eq!((finding.severity, finding.confidence), (Severity::Info, Confidence::Likely));
        assert_eq!(finding.subject.location, "src/shop.rs:21:9");
        assert_eq!(
            finding.message,
            "locks `Orders` and `Stock` are taken in both orders, which can deadlock: `Orders` (shop.rs:20) before \
             `Stock` (shop.rs:21) 3 times, `Stock` (shop.rs:10) before `Orders` (shop.rs:11) 120 times"
        );
        assert_eq!(
            evidence(&finding, "orders").text,
            "`Orders` at shop.rs:20, then `Stock` at shop.rs:21 (3 times) | `Stock` at shop.rs:10, then `Orders` at \
             shop.rs:11 (120 times)"
        );
        assert_eq!(finding.line().0, "src/shop.rs:20:9");
        assert!(finding.advice.starts_with("At shop.rs:20 lock `Stock` before `Orders`"), "{}", finding.advice);
    }

    #[test]
    fn two_locks_of_one_place_must_be_the_same_two() {
        let mut shop = shop();
        let pair = |a, b| Some((LockId(a), LockId(b)));
        let one = LockOrder { locks: pair(51, 52), ..shop.order(0, 0, 0, 9) };
        let other = LockOrder { locks: pair(53, 51), ..shop.order(1, 0, 0, 9) };
        shop.judged.target.lock_order(one);
        shop.judged.target.lock_order(other);
        shop.judged.run(ms(300));
        shop.judged.expect_nothing();
        shop.judged.target.lock_order(LockOrder { locks: pair(52, 51), ..shop.order(2, 0, 0, 1) });
        shop.judged.run(ms(300));
        let finding = shop.judged.only("lock-order");
        assert_eq!((finding.confidence, finding.subject.kind), (Confidence::Certain, SubjectKind::Lock(LockId(51))));
    }

    #[test]
    fn three_places_in_a_cycle_are_one_finding() {
        let mut shop = shop();
        for (id, first, second) in [(0, 0, 1), (1, 1, 2), (2, 2, 0)] {
            shop.judged.expect_nothing();
            shop.judged.target.lock_order(shop.order(id, first, second, 5));
            shop.judged.run(ms(300));
        }
        assert!(shop.judged.only("lock-order").message.starts_with("3 locks are taken in a cycle, which can "));
    }

    #[test]
    fn orders_under_one_common_lock_stop_nobody() {
        let mut shop = shop();
        let around = Some(LockId(77));
        shop.judged.target.lock_order(LockOrder { around, ..shop.order(0, 0, 1, 5) });
        shop.judged.target.lock_order(LockOrder { around, ..shop.order(1, 1, 0, 5) });
        shop.judged.run(ms(300));
        shop.judged.expect_nothing();
        shop.judged.target.lock_order(LockOrder { around: None, ..shop.order(1, 1, 0, 6) });
        shop.judged.run(ms(300));
        shop.judged.only("lock-order");
    }
}

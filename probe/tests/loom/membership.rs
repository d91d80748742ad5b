//! The token and the tracker of a task.
use loom::{sync::Arc, thread};

use crate::{
    check,
    recorder::membership::{MembershipSlot, Scope::Token},
};

#[test]
fn of_two_that_a_task_enters_at_once_the_first_one_stays_until_it_is_left() {
    check(|| {
        let slot = Arc::new(MembershipSlot::default());
        let enter = |id| {
            let slot = slot.clone();
            thread::spawn(move || slot.enter(Token, id))
        };
        let (one, two) = (enter(1), enter(2));
        let seen = slot.get(Token);
        let entered = [one.join().unwrap(), two.join().unwrap()];
        let (is, other) = if entered[0] { (1, 2) } else { (2, 1) };
        assert_eq!(entered.iter().filter(|entered| **entered).count(), 1);
        assert_eq!(slot.get(Token), is);
        assert!(seen == 0 || seen == is);
        assert!(!slot.leave(Token, other) && slot.leave(Token, is));
        assert_eq!(slot.get(Token), 0);
    });
}

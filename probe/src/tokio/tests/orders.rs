//! The order in which locks are taken.
use super::*;
use crate::{
    recorder::order::OrderReading,
    tokio::sync::{Mutex, RwLock},
};

/// The order of what was made there and there.
fn order(first: (&str, u32), second: (&str, u32)) -> Option<OrderReading> {
    let orders = recorder().orders.all().map(|(_, order)| order);
    orders.into_iter().find(|o| place(o.first.info.location) == first && place(o.second.info.location) == second)
}

#[test]
fn the_order_in_which_two_locks_are_taken_is_known_with_both_lines() {
    run(async {
        let (stock, of_stock) = (Mutex::new(0), here());
        let (orders, of_orders) = (RwLock::new(0), here());
        let line = line!() + 1;
        let first = stock.lock().await;
        let second = orders.read().await;
        drop(first);
        drop(second);
        let known = order(of_stock, of_orders).expect("the order is known");
        let lines = [known.first_site, known.second_site].map(|site| site.map(Location::line));
        assert_eq!((known.times, known.around, lines), (1, 0, [Some(line), Some(line + 1)]));
        assert!(order(of_orders, of_stock).is_none());
        // The other way round, within a third one.
        let (around, of_around) = (Mutex::new(()), here());
        let _around = around.lock().await;
        let _first = orders.write().await;
        let _second = stock.lock().await;
        let back = order(of_orders, of_stock).expect("the order is known");
        assert_eq!((back.times, back.around), (1, lock(of_around).id));
        assert!(order(of_around, of_orders).is_some());
    });
}

#[test]
fn a_guard_that_went_or_may_be_elsewhere_is_not_held_by_its_task() {
    run(async {
        let (gone, of_gone) = (Mutex::new(0), here());
        let (given, of_given) = (std::sync::Arc::new(Mutex::new(0)), here());
        let (third, of_third) = (Mutex::new(0), here());
        drop(gone.lock().await);
        let _given = given.lock_owned().await;
        let _third = third.lock().await;
        assert!(order(of_gone, of_third).is_none() && order(of_given, of_third).is_none());
    });
}

#[test]
fn guards_that_go_in_any_order_leave_no_order_behind() {
    run(async {
        let (one, of_one) = (Mutex::new(0), here());
        let (two, of_two) = (Mutex::new(0), here());
        let (three, of_three) = (Mutex::new(0), here());
        let (first, second) = (one.lock().await, two.lock().await);
        drop(first);
        drop(second);
        let _third = three.lock().await;
        assert!(order(of_one, of_two).is_some());
        assert!(order(of_one, of_three).is_none() && order(of_two, of_three).is_none());
    });
}

#[test]
fn a_task_that_sleeps_between_two_locks_has_taken_them_in_an_order_all_the_same() {
    run(async {
        let (one, of_one) = (Mutex::new(0), here());
        let (two, of_two) = (RwLock::new(0), here());
        let _one = one.lock().await;
        others().await;
        let _two = two.write().await;
        assert!(order(of_one, of_two).is_some());
    });
}

#[test]
fn more_pairs_of_one_place_than_there_is_room_for_replace_each_other_and_are_counted() {
    run(async {
        let (locks, made): (Vec<_>, _) = ((0..40).map(|_| Mutex::new(0)).collect(), here());
        let shed = recorder().orders.shed();
        for first in &locks {
            for second in &locks {
                let _first = first.lock().await;
                drop(second.try_lock());
            }
        }
        assert!(recorder().orders.shed() > shed + 100);
        let known = recorder().orders.all().filter(|(_, order)| place(order.first.info.location) == made);
        let known: Vec<OrderReading> = known.map(|(_, order)| order).collect();
        assert!(known.len() > 100, "{}", known.len());
        assert!(known.iter().all(|order| order.first_lock != order.second_lock && order.times == 1), "{known:?}");
    });
}

#[test]
fn a_guard_may_be_elsewhere_until_one_went_where_it_came() {
    fn may_move(made: (&str, u32)) -> bool {
        lock(made).may_move
    }
    run(async {
        let (mutex, made) = (std::sync::Arc::new(Mutex::new(0)), here());
        let first = mutex.lock().await;
        assert!(may_move(made), "it might be a static's");
        drop(first);
        let second = mutex.lock().await;
        assert!(!may_move(made));
        drop(second);
        let owned = std::sync::Arc::clone(&mutex).lock_owned().await;
        assert!(may_move(made));
        let _ = task::spawn(async move { drop(owned) }).await;
        let _third = mutex.lock().await;
        assert!(may_move(made), "one was given away");
    });
}

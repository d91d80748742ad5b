//! Numbers of threads, and what those count who have one to themselves.
use loom::{sync::Arc, thread};

use crate::{
    check,
    recorder::{
        numbers,
        totals::{Total, Totals},
    },
};

#[test]
fn what_one_thread_counted_is_there_for_the_next_that_has_its_number() {
    check(|| {
        // One number is left that is a thread's own: whoever comes second gets it after the first, or shares one.
        let numbers = Arc::new(numbers(7));
        let totals = Arc::new(Totals::new());
        let counts = |numbers: Arc<numbers::Numbers>, totals: Arc<Totals>| {
            let number = numbers.take();
            totals.add(number, [(Total::Spawned, 1)]);
            numbers.give_back(number);
        };
        let other = thread::spawn({
            let (numbers, totals) = (numbers.clone(), totals.clone());
            move || counts(numbers, totals)
        });
        counts(numbers, totals.clone());
        other.join().unwrap();
        assert_eq!(totals.get(Total::Spawned), 2);
    });
}

#[test]
fn threads_that_are_there_at_once_have_numbers_of_their_own_while_there_are_any() {
    check(|| {
        let numbers = Arc::new(numbers(5));
        let others = [(); 2].map(|()| {
            thread::spawn({
                let numbers = numbers.clone();
                move || numbers.take()
            })
        });
        let mut taken = others.map(|other| other.join().unwrap()).to_vec();
        taken.push(numbers.take());
        taken.sort_unstable();
        assert_eq!(taken, [5, 6, 7]);
        // From here on they are shared.
        assert_eq!([(); 3].map(|()| numbers.take()), [8, 9, 10]);
        numbers.give_back(9);
        numbers.give_back(6);
        assert_eq!([(); 2].map(|()| numbers.take()), [6, 11]);
    });
}

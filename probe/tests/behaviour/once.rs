use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
};

use async_inspect_probe::tokio::{
    self,
    sync::{OnceCell, SetOnce},
};

use super::{others, poll_once, run};

#[test]
fn a_cell_is_initialised_once_by_the_first() {
    run(async {
        let (cell, made) = (Arc::new(OnceCell::new()), Arc::new(AtomicU8::new(0)));
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let (cell, made) = (Arc::clone(&cell), Arc::clone(&made));
                tokio::spawn(async move {
                    *cell
                        .get_or_init(|| async {
                            made.fetch_add(1, SeqCst);
                            others().await;
                            n
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
        assert_eq!((made.load(SeqCst), cell.initialized(), cell.get()), (1, true, Some(&0)));
        assert!(cell.set(5).unwrap_err().is_already_init_err());
    });
}

#[test]
fn the_next_one_tries_when_the_first_fails_or_gives_up() {
    run(async {
        let cell = OnceCell::new();
        assert_eq!(cell.get_or_try_init(|| async { Err::<u8, _>("no") }).await, Err("no"));
        {
            let mut given_up = pin!(cell.get_or_init(std::future::pending));
            assert!(poll_once(given_up.as_mut()).is_pending());
            assert!(cell.set(1).unwrap_err().is_initializing_err());
        }
        assert_eq!(cell.get_or_try_init(|| async { Ok::<_, ()>(2) }).await, Ok(&2));
        assert_eq!(cell.into_inner(), Some(2));
    });
}

#[test]
fn cells_are_values_as_tokios_are() {
    static CELL: OnceCell<u8> = OnceCell::const_new();
    run(async {
        assert_eq!(*CELL.get_or_init(|| async { 3 }).await, 3);
        let mut cell = OnceCell::from(1);
        assert_eq!(
            (cell.clone(), format!("{cell:?}")),
            (OnceCell::new_with(Some(1)), "OnceCell { value: Some(1) }".into())
        );
        *cell.get_mut().unwrap() += 1;
        assert_eq!((cell.take(), cell.get()), (Some(2), None));
        assert_eq!(OnceCell::const_new_with(1), OnceCell::from(1));
        assert_eq!(OnceCell::<u8>::default(), OnceCell::new());
    });
}

#[test]
fn a_value_that_is_set_once_is_waited_for() {
    run(async {
        let value = Arc::new(SetOnce::new());
        let waiting = tokio::spawn({
            let value = Arc::clone(&value);
            async move { *value.wait().await }
        });
        others().await;
        value.set(4).unwrap();
        assert_eq!(value.set(5).unwrap_err().0, 5);
        assert_eq!((waiting.await.unwrap(), *value.wait().await, value.initialized()), (4, 4, true));
        assert_eq!(
            (value.get(), SetOnce::from(4) == *value, SetOnce::clone(&value).into_inner()),
            (Some(&4), true, Some(4))
        );
        assert_eq!(
            format!("{:?}", SetOnce::<u8>::const_new()),
            format!("{:?}", tokio::raw::sync::SetOnce::<u8>::new())
        );
        assert_eq!(SetOnce::const_new_with(1), SetOnce::new_with(Some(1)));
    });
}

#[test]
fn cells_turn_into_tokios() {
    run(async {
        let cell = OnceCell::new();
        cell.set(3).unwrap();
        let cell: tokio::raw::sync::OnceCell<i32> = cell.into();
        assert_eq!(cell.get(), Some(&3));
        let set: tokio::raw::sync::SetOnce<i32> = SetOnce::from(4).into();
        assert_eq!(set.wait().await, &4);
    });
}

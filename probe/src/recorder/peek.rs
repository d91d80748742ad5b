//! What a type tells to a hasher only: the numbers inside of tokio's task id and of a thread's id, and which variant a
//! `Result` is.
//! Both by safe code; where a type stops telling, the answer is "unknown", not wrong.
use std::{
    any::type_name,
    hash::{Hash, Hasher},
    mem::discriminant,
};

use super::site::OutputKind;

/// The number that `id` displays as, without formatting it.
#[inline]
pub(crate) fn task_id(id: ::tokio::task::Id) -> u64 {
    let mut number = LastNumber(0);
    id.hash(&mut number);
    number.0
}

/// The number inside of a thread's id, which no other thread of the process has or had; never 0.
pub(crate) fn thread_id(id: std::thread::ThreadId) -> u64 {
    let mut number = LastNumber(0);
    id.hash(&mut number);
    number.0
}

/// What kind of output `T` is, told by its name alone.
#[inline]
pub(crate) fn output_kind<T>() -> OutputKind {
    match type_name::<T>() {
        "()" | "!" => OutputKind::Unit,
        name if name.starts_with("core::result::Result<") => OutputKind::Result,
        _ => OutputKind::Value,
    }
}

/// Whether a `T` is an `Err`; for anything but a `Result` it says no.
#[inline]
pub(crate) fn failed<T>(value: &T) -> bool {
    // `Err` is the second of `Result`'s variants.
    output_kind::<T>() == OutputKind::Result && variant(value) == 1
}

fn variant<T>(value: &T) -> u64 {
    let mut number = LastNumber(0);
    discriminant(value).hash(&mut number);
    number.0
}

struct LastNumber(u64);

impl Hasher for LastNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut number = [0; 8];
        for (to, from) in number.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.0 = u64::from_le_bytes(number);
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write_isize(&mut self, number: isize) {
        self.0 = number as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_id_is_the_number_that_it_displays_as() {
        let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for _ in 0..3 {
                let task = ::tokio::spawn(async {});
                assert_eq!(task_id(task.id()).to_string(), task.id().to_string());
            }
        });
    }

    #[test]
    fn threads_are_told_apart_by_number() {
        let here = thread_id(std::thread::current().id());
        let there = std::thread::spawn(|| thread_id(std::thread::current().id())).join().unwrap();
        assert!(here != 0 && there != 0 && here != there, "{here} {there}");
        assert_eq!(here, thread_id(std::thread::current().id()));
    }

    #[test]
    fn an_err_is_told_from_an_ok_whatever_it_carries() {
        fn check<T, E>(ok: T, err: E) {
            assert!(!failed::<Result<T, E>>(&Ok(ok)));
            assert!(failed::<Result<T, E>>(&Err(err)));
        }
        check((), ());
        check((), String::from("niche"));
        check(Box::new(1), 2_u8);
        check::<_, Box<dyn std::error::Error>>((), "boxed".into());
        check(std::io::stdout(), std::io::Error::other("io"));
        check::<Result<(), u8>, Result<u8, ()>>(Err(1), Ok(1));
    }

    #[test]
    fn other_outputs_never_failed() {
        assert!(!failed(&Some(1)));
        assert!(!failed(&()));
        assert!(!failed(&true));
        assert_eq!(output_kind::<()>(), OutputKind::Unit);
        assert_eq!(output_kind::<Option<Result<(), ()>>>(), OutputKind::Value);
        assert_eq!(output_kind::<std::io::Result<()>>(), OutputKind::Result);
    }
}

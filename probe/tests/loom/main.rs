//! The recorder's lock-free pieces under loom, which tries every order in which threads can come, and every value that a
//! load may see. The pieces are compiled here a second time, with loom's atomics in the place of std's.
//!
//! `docs/soundness.md` has the whole list: what is shown here, and what is shown otherwise.
#![allow(dead_code, clippy::unwrap_used, reason = "pieces are used in part; a test may fail")]

mod by_id;
mod entry;
mod free_list;
mod handle;
mod in_poll;
mod lazy;
mod made_once;
mod mark;
mod membership;
mod numbers;
mod owner;
mod readers;
mod recorder;
mod refs;
mod since;
mod stacks;
mod stripes;
mod totals;
mod waker;

/// All orders with at most three preemptions, which finds nearly everything and ends.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

//! The rules: what is wrong, judged from a [`Model`](crate::model::Model) alone.
//!
//! A rule is one file and one row of [`RULES`]: see [`Rule`] for its shape. It judges one moment; the [`Engine`] makes
//! findings of that, which begin, last and clear.

mod culprit;
mod cycle;
mod engine;
mod finding;
mod knots;
mod measure;
mod news;
mod receiver;
mod reserved;
mod rule;
mod saturation;
mod settings;
mod stuck_poll;
mod subject;
mod wait_graph;
mod wonder;
mod words;

mod block_on_in_async;
mod blocked_worker;
mod blocking_pool_saturated;
mod broadcast_lagging;
mod busy_self_wake;
mod cancel_storm;
mod cancelled_holding;
mod channel_growing;
mod channel_saturated;
mod deadlock;
mod hot_read_lock;
mod large_future;
mod lock_contention;
mod lock_held_across_await;
mod lock_hog;
mod lock_order;
mod long_poll;
mod lost_notify;
mod lost_panic;
mod lost_waker;
mod never_awaited_handle;
mod never_polled;
mod oneshot_abandoned;
mod permit_leak;
mod receiver_stalled;
mod runtime_saturated;
mod rwlock_writer_starved;
mod self_deadlock;
mod semaphore_exhausted;
mod shutdown_straggler;
mod starved_task;
mod sync_lock_in_async;
mod task_leak;
mod unjoined_result;
mod watch_unobserved;

#[cfg(test)]
mod tests;

pub(crate) use engine::SOON;
pub use engine::{Engine, worst};
pub use finding::{Confidence, Evidence, Finding, FindingKey, Severity, WaitStep};
pub(crate) use measure::in_words;
pub use rule::{Limit, Rule, Threshold};
pub(crate) use saturation::strain;
pub use settings::{SettingError, Settings};
pub use subject::{LocationRole, Spot, Subject, SubjectKind};
pub use wonder::Wonder;

/// All rules. Of findings that are equal otherwise, those of earlier rules come first.
pub static RULES: &[Rule] = &[
    deadlock::RULE,
    self_deadlock::RULE,
    sync_lock_in_async::RULE,
    block_on_in_async::RULE,
    blocked_worker::RULE,
    lost_panic::RULE,
    receiver_stalled::RULE,
    lock_hog::RULE,
    rwlock_writer_starved::RULE,
    permit_leak::RULE,
    semaphore_exhausted::RULE,
    lost_waker::RULE,
    lost_notify::RULE,
    shutdown_straggler::RULE,
    cancelled_holding::RULE,
    lock_held_across_await::RULE,
    lock_contention::RULE,
    channel_saturated::RULE,
    channel_growing::RULE,
    blocking_pool_saturated::RULE,
    busy_self_wake::RULE,
    never_polled::RULE,
    task_leak::RULE,
    unjoined_result::RULE,
    runtime_saturated::RULE,
    starved_task::RULE,
    hot_read_lock::RULE,
    broadcast_lagging::RULE,
    oneshot_abandoned::RULE,
    long_poll::RULE,
    never_awaited_handle::RULE,
    watch_unobserved::RULE,
    cancel_storm::RULE,
    lock_order::RULE,
    large_future::RULE,
];

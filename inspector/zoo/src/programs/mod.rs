//! One program a file, each the same shape: what both versions share, the faulty one, the healthy one.

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
mod healthy;
mod hot_read_lock;
mod large_future;
mod library;
mod lock_contention;
mod lock_held_across_await;
mod lock_hog;
mod lock_order;
mod long_poll;
mod lost_notify;
mod lost_panic;
mod lost_waker;
mod named;
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

use crate::Program;

/// Every program of the zoo.
pub static PROGRAMS: &[Program] = &[
    long_poll::PROGRAM,
    blocked_worker::PROGRAM,
    lock_contention::PROGRAM,
    lock_held_across_await::PROGRAM,
    channel_saturated::PROGRAM,
    channel_growing::PROGRAM,
    never_awaited_handle::PROGRAM,
    lost_panic::PROGRAM,
    deadlock::PROGRAM,
    self_deadlock::PROGRAM,
    sync_lock_in_async::PROGRAM,
    block_on_in_async::PROGRAM,
    lock_hog::PROGRAM,
    receiver_stalled::PROGRAM,
    blocking_pool_saturated::PROGRAM,
    busy_self_wake::PROGRAM,
    large_future::PROGRAM,
    never_polled::PROGRAM,
    task_leak::PROGRAM,
    unjoined_result::PROGRAM,
    broadcast_lagging::PROGRAM,
    lost_notify::PROGRAM,
    lost_waker::PROGRAM,
    oneshot_abandoned::PROGRAM,
    permit_leak::PROGRAM,
    rwlock_writer_starved::PROGRAM,
    semaphore_exhausted::PROGRAM,
    shutdown_straggler::PROGRAM,
    watch_unobserved::PROGRAM,
    cancel_storm::PROGRAM,
    cancelled_holding::PROGRAM,
    lock_order::PROGRAM,
    hot_read_lock::PROGRAM,
    runtime_saturated::PROGRAM,
    starved_task::PROGRAM,
    named::PROGRAM,
    library::deadlock::PROGRAM,
    library::blocked_worker::PROGRAM,
    healthy::axum::PROGRAM,
    healthy::pipeline::PROGRAM,
    healthy::actors::PROGRAM,
    healthy::detached::PROGRAM,
    healthy::chat::PROGRAM,
    healthy::worker_pool::PROGRAM,
    healthy::crawl::PROGRAM,
    healthy::timers::PROGRAM,
    healthy::reload::PROGRAM,
    healthy::storm::PROGRAM,
    healthy::shutdown::PROGRAM,
    healthy::hashing::PROGRAM,
];

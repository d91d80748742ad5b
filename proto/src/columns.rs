//! How the columns of a message's tables are sent: one that says nothing but zeros is left out, and one of steps has in each
//! row the difference to the row before. Both ends have it from here, with the one list of what columns there are.
use crate::{HISTOGRAM_BUCKETS, v1};

/// Rows of one table in one message, at most; one of legal length from a probe has a quarter of it. What is left out takes
/// no bytes, so the length of a message is no limit.
pub const MAX_ROWS: usize = 1 << 16;

/// Why a table cannot be what its sender meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadTable {
    /// A column is neither left out nor as long as its table.
    Columns {
        /// The table's name in `Update`.
        table: &'static str,
    },
    /// There are more rows than [`MAX_ROWS`].
    Rows {
        /// As above.
        table: &'static str,
        /// How many.
        rows: usize,
    },
}

/// A table of columns.
trait Table {
    const NAME: &'static str;

    fn pack(&mut self);
    fn unpack(&mut self) -> Result<(), BadTable>;

    /// So many rows, if there may be so many.
    fn limited(rows: usize) -> Result<usize, BadTable> {
        if rows > MAX_ROWS { Err(BadTable::Rows { table: Self::NAME, rows }) } else { Ok(rows) }
    }

    /// Puts in the zeros of a column that was left out of `rows` rows.
    fn lengthen<T: Default + Clone>(column: &mut Vec<T>, rows: usize) -> Result<(), BadTable> {
        if column.is_empty() {
            column.resize(rows, T::default());
        }
        if column.len() == rows { Ok(()) } else { Err(BadTable::Columns { table: Self::NAME }) }
    }
}

/// Leaves a column out if it has nothing but zeros.
fn shorten<T: Default + PartialEq>(column: &mut Vec<T>) {
    let zero = T::default();
    if column.iter().all(|value| *value == zero) {
        column.clear();
    }
}

fn to_steps(column: &mut [i64]) {
    let mut before = 0;
    for value in column {
        let own = *value;
        *value = own.wrapping_sub(before);
        before = own;
    }
}

fn from_steps(column: &mut [i64]) {
    let mut before = 0_i64;
    for value in column {
        before = before.wrapping_add(*value);
        *value = before;
    }
}

/// A table is listed under its name in `Update`: `by` the column that tells how many rows there are; its other `columns`;
/// those of either that are sent as `steps`; those that have a whole histogram a row; and the columns of what is listed with
/// a row, `by` the column that tells how many of them there are.
macro_rules! tables {
    ($($name:ident: $Table:ident by $first:ident {
        columns: $($column:ident)*;
        $(steps: $($step:ident)*;)?
        $(histograms: $($histogram:ident)*;)?
        $(listed by $count:ident: $($listed:ident)*;)?
    })*) => {
        impl v1::Update {
            /// From rows as they were pushed to what is sent.
            pub fn pack(&mut self) {
                $(if let Some(table) = &mut self.$name {
                    table.pack();
                })*
            }

            /// From what was sent to tables of which all columns are there, with each row's own figures.
            ///
            /// # Errors
            ///
            /// When a table cannot be what its sender meant. The message is then of no use.
            pub fn unpack(&mut self) -> Result<(), BadTable> {
                $(if let Some(table) = &mut self.$name {
                    table.unpack()?;
                })*
                Ok(())
            }
        }

        $(impl Table for v1::$Table {
            const NAME: &'static str = stringify!($name);

            fn pack(&mut self) {
                $($(to_steps(&mut self.$step);)*)?
                $(shorten(&mut self.$column);)*
                $($(shorten(&mut self.$histogram);)*)?
                $($(shorten(&mut self.$listed);)*)?
            }

            fn unpack(&mut self) -> Result<(), BadTable> {
                let rows = Self::limited(self.$first.len())?;
                $(Self::lengthen(&mut self.$column, rows)?;)*
                $($(Self::lengthen(&mut self.$histogram, rows * HISTOGRAM_BUCKETS)?;)*)?
                $(
                    let listed: u64 = self.$count.iter().map(|&count| u64::from(count)).sum();
                    let listed = Self::limited(usize::try_from(listed).unwrap_or(usize::MAX))?;
                    $(Self::lengthen(&mut self.$listed, listed)?;)*
                )?
                $($(from_steps(&mut self.$step);)*)?
                Ok(())
            }
        })*
    };
}

tables! {
    sites: Sites by id { columns: kind file line column name output; }
    site_totals: SiteTotals by site {
        columns: spawned finished shed finished_busy_ns finished_polls max_poll_ns slow_polls slow_poll_total_ns
            last_slow_poll_ns last_slow_poll_at_ns last_slow_poll_task handles_dropped errors_lost panics panics_lost
            aborted aborted_age_ns;
    }
    task_births: TaskBirths by id {
        columns: kind site name spawned_at_ns future_bytes parent;
        steps: id spawned_at_ns parent;
    }
    task_states: TaskStates by id {
        columns: state state_since_ns polls busy_ns max_poll_ns wakes self_wakes sched_total_ns sched_max_ns flags waits
            wakers_plus_one token tracker sched_p99_bucket;
        steps: id state_since_ns;
        listed by waits: wait_kind wait_for wait_site wait_before_ns;
    }
    oneshot_totals: OneshotTotals by site {
        columns: made delivered unsent unsent_awaited unreceived last_unsent_at_ns last_unsent_site last_unreceived_at_ns
            last_unreceived_site name;
    }
    lock_births: LockBirths by id { columns: kind site name parent; steps: id; }
    lock_states: LockStates by id {
        columns: holder holder_site held_since_ns waiters acquires contended wait_total_ns wait_max_ns hold_total_ns
            hold_max_ns hold_max_site suspended_holds last_suspended_ns last_suspended_at_ns last_suspended_site
            last_suspended_waiters permits_total permits_available holders waiting_writers closed forgotten lost_notifies
            last_lost_notify_at_ns last_lost_notify_site holds closed_at_ns closed_site closed_by holder_may_move;
        steps: id;
        histograms: wait_buckets hold_buckets;
        listed by holds: hold_task hold_site hold_since_ns hold_permits hold_exclusive;
    }
    cut_shorts: CutShorts by lock { columns: times held_ns at_ns site by dropped_site; }
    disposals: Disposals by kind { columns: of at_ns by by_site call_site; }
    sights: Sights by kind { columns: of at_ns site cause; }
    lock_orders: LockOrders by id {
        columns: first second first_lock second_lock first_site second_site times last_at_ns around;
    }
    channel_births: ChannelBirths by id { columns: kind site name capacity inferred; steps: id; }
    channel_states: ChannelStates by id {
        columns: sent received blocked_senders sends_blocked send_wait_total_ns senders receivers closed last_recv_at_ns
            receiver_task recv_site last_send_at_ns sender_task send_site lagged messages_lost last_lag_at_ns last_lag_task
            last_lag_site unheard blocked_with_message;
        steps: id;
    }
    worker_states: WorkerStates by id {
        columns: kind name task poll_started_ns polls busy_ns cpu_wait_ns poll_cpu_wait_ns parks local_queue_plus_one
            steals awake_ns cpu_ns;
    }
    runtime_states: RuntimeStates by id {
        columns: kind name workers alive_tasks global_queue awake_ns parks detailed steals local_queues blocking_threads
            blocking_idle blocking_queue;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> v1::Update {
        let top = i64::MIN;
        v1::Update {
            task_births: Some(v1::TaskBirths { parent: vec![top, top, 3], ..v1::TaskBirths::default() }),
            task_states: Some(v1::TaskStates {
                id: vec![5, 3, top, i64::MAX],
                state: vec![0; 4],
                polls: vec![0, 0, 7, 0],
                waits: vec![0, 1, 0, 1],
                wait_kind: vec![1, 2],
                wait_for: vec![0, 0],
                ..v1::TaskStates::default()
            }),
            lock_states: Some(v1::LockStates { id: vec![1], hold_buckets: vec![2; 16], ..v1::LockStates::default() }),
            ..v1::Update::default()
        }
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was_with_all_of_its_columns() {
        let mut update = tasks();
        update.task_births.as_mut().unwrap().id = vec![1, 2, 3];
        let before = update.clone();
        update.pack();
        let packed = update.task_states.as_ref().unwrap();
        assert_eq!((&packed.id[..2], packed.state.len(), packed.polls.len()), (&[5, -2][..], 0, 4));
        assert!(packed.wait_for.is_empty() && packed.wait_kind.len() == 2);
        assert_eq!(update.task_births.as_ref().unwrap().parent[1], 0);
        update.unpack().unwrap();
        let (packed, all) = (update.task_states.unwrap(), before.task_states.unwrap());
        assert_eq!((packed.id, packed.polls, packed.wait_for), (all.id, all.polls, all.wait_for));
        assert_eq!((packed.self_wakes, packed.wait_site, packed.state), (vec![0; 4], vec![0; 2], vec![0; 4]));
        assert_eq!(update.task_births.unwrap().parent, before.task_births.unwrap().parent);
        let locks = update.lock_states.unwrap();
        assert_eq!((locks.wait_buckets, locks.hold_buckets), (vec![0; 16], vec![2; 16]));
    }

    #[test]
    fn a_column_that_is_neither_left_out_nor_whole_is_refused() {
        let refused = |change: fn(&mut v1::Update)| {
            let mut update = tasks();
            update.task_births = None;
            update.clone().unpack().unwrap();
            change(&mut update);
            update.unpack().unwrap_err()
        };
        let tasks = BadTable::Columns { table: "task_states" };
        assert_eq!(refused(|update| _ = update.task_states.as_mut().unwrap().polls.pop()), tasks);
        assert_eq!(refused(|update| _ = update.task_states.as_mut().unwrap().wait_kind.pop()), tasks);
        assert_eq!(refused(|update| update.task_states.as_mut().unwrap().waits.clear()), tasks);
        let locks = BadTable::Columns { table: "lock_states" };
        assert_eq!(refused(|update| _ = update.lock_states.as_mut().unwrap().hold_buckets.pop()), locks);
    }

    #[test]
    fn more_rows_than_any_message_has_are_refused_before_their_zeros_are_put_in() {
        let rows = MAX_ROWS + 1;
        let table = v1::LockStates { id: vec![0; rows], ..v1::LockStates::default() };
        let mut update = v1::Update { lock_states: Some(table), ..v1::Update::default() };
        assert_eq!(update.unpack(), Err(BadTable::Rows { table: "lock_states", rows }));
        assert!(update.lock_states.unwrap().waiters.is_empty());
        let table = v1::TaskStates { id: vec![1], waits: vec![rows as u32], ..v1::TaskStates::default() };
        let mut update = v1::Update { task_states: Some(table), ..v1::Update::default() };
        assert_eq!(update.unpack(), Err(BadTable::Rows { table: "task_states", rows }));
    }
}

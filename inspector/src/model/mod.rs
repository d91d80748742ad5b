//! What is known of one target, in the inspector's own terms: plain data, with no I/O, no clock of its own and no
//! colours. [`Model::apply`] takes what `decode` made of the wire; `lints`, `view` and `report` read.
//!
//! Every time in here is a [`Stamp`] on the target's clock. The newest one, [`Model::now`], is "now" for every rule
//! and every screen, so that neither a slow link nor a skewed clock changes what is said.

mod apply;
mod awaited;
mod batch;
mod channel;
mod details;
mod disposal;
#[cfg(test)]
pub mod fixture;
mod given;
mod histogram;
mod lock;
mod namesakes;
mod oneshot;
mod order;
mod pause;
mod queues;
mod recent;
mod runtime;
mod scopes;
mod seconds;
mod series;
mod sight;
mod site;
mod stack;
mod target;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod window;
mod worker;

pub use awaited::Awaited;
pub use batch::{
    Batch, ChannelBirth, ChannelReading, CutShortReading, LockBirth, LockReading, SiteBirth, SiteReading, TaskBirth,
    TaskReading, WorkerReading,
};
pub use channel::{Age, Channel, ChannelId, ChannelKind};
pub use details::{Suspended, Suspension, TaskDetails};
pub use disposal::{Disposal, Disposed};
pub use given::GivenNames;
pub use histogram::Histogram;
pub use lock::{CutShort, DropKind, Holder, Lock, LockId, LockKind, SuspendedHold};
pub use namesakes::Namesakes;
pub use oneshot::{ONESHOT, OneshotReading, Oneshots};
pub use order::LockOrder;
pub use queues::OftenPolled;
pub use recent::{Event, Recent};
pub use runtime::{Runtime, RuntimeDetail, RuntimeId, RuntimeKind, RuntimeReading};
pub use scopes::{Ended, Scopes};
pub use series::{Series, Totals};
pub use sight::{Seen, Sight};
pub use site::{OutputKind, Site, SiteId, SiteKind, SlowPoll};
pub use stack::{Beside, Frame, Stack, StackCause};
pub use target::{Blind, Cost, Loss, Panic, Stamp, Target};
pub use task::{StateCounts, Task, TaskFlags, TaskId, TaskKind, TaskState, Wait, WaitFor, Waits};
pub use tasks::Tasks;
pub use worker::{Worker, WorkerDetail, WorkerId, WorkerKind};

use std::collections::HashMap;

/// Everything known of one target at [`Model::now`].
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The time of the newest update.
    pub now: Stamp,
    /// Who the target is, what it shows and what it cannot show.
    pub target: Target,
    /// Places in the target's source, by id.
    pub sites: HashMap<SiteId, Site>,
    /// Live tasks, and ended ones whose handle is still held.
    pub tasks: Tasks,
    /// Live locks.
    pub locks: HashMap<LockId, Lock>,
    /// Orders in which locks were taken, by their ids.
    pub lock_orders: HashMap<u32, LockOrder>,
    /// Live channels.
    pub channels: HashMap<ChannelId, Channel>,
    /// What became of oneshot channels, by the site where they are made.
    pub oneshots: HashMap<SiteId, Oneshots>,
    /// Which tasks listen to which token, and are tracked by which tracker.
    pub scopes: Scopes,
    /// Threads that poll.
    pub workers: HashMap<WorkerId, Worker>,
    /// Runtimes that were built through the drop-in.
    pub runtimes: HashMap<RuntimeId, Runtime>,
    /// Panics of tasks, oldest first; the newest few hundred.
    pub panics: Vec<Panic>,
    /// Stacks of polls that did not end, oldest first: the last one of each poll, for a minute.
    pub stacks: Vec<Stack>,
    /// Lines at which something was seen to happen, by what it was and the site that it is about.
    pub(crate) sights: HashMap<(Seen, SiteId), Sight>,
    /// Where tasks are suspended that were asked about.
    pub suspended: Suspended,
    /// What the probe did not show one by one.
    pub loss: Loss,
    /// What the probe itself takes.
    pub cost: Cost,
    /// The last minute of the whole, one point a second.
    pub totals: Totals,
    /// A whole snapshot has arrived: until then, nothing is missing that merely was not sent yet.
    pub complete: bool,
    /// Tasks that are shown one by one, by state.
    pub states: StateCounts,

    /// Which locks and channels go by one name.
    pub(crate) namesakes: Namesakes,
    /// What [`Model::apply`] remembers from one update to the next.
    pub(crate) track: apply::Track,
}

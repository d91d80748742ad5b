//! The collector: reads what changed since the last tick and hands the same messages to every subscriber.
//!
//! It runs on the probe's own thread only, so nothing here is shared and nothing here can hold up the app. With nobody
//! attached it does not tick: the slots remember what changed.

mod cpu_looks;
mod known;
mod running;
mod snapshot;
mod subscribers;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use async_inspect_proto::{
    EncodedUpdate,
    v1::{self, Update},
};

pub(crate) use snapshot::SnapshotCursor;
pub(crate) use subscribers::{Joined, Subscribers};

#[cfg(feature = "console")]
use crate::console::Consoles;
use crate::{
    recorder::{
        Recorder,
        arena::{Arena, SETTLE},
        channel::ChannelSlot,
        clock,
        lock::LockSlot,
        names,
        runtimes::{self, RuntimeReading, WorkerDetail},
        site::{GivenUp, Site},
        standstill,
        task::{SLOW_POLL_NS, TaskKind, TaskReading},
        thread::WorkerReading,
    },
    stacks::{Cause, Frame, Sight, SightKind, Stack, Watchdog},
    wire::{self, Dictionary, Gone, Messages},
};
use cpu_looks::CpuLooks;
use known::Known;
use running::Running;

/// Time between two deltas, in milliseconds.
pub(crate) const TICK_MS: u32 = 100;

/// The duration from which a poll counts as slow, in nanoseconds.
pub(crate) const SLOW_POLL: u64 = SLOW_POLL_NS;

/// What the subscribers were told, and what is new since.
pub(crate) struct Collector {
    recorder: &'static Recorder,
    dictionary: Dictionary,
    /// How much of the dictionary went out with the deltas.
    told: wire::DictionaryKnown,
    tasks: Known,
    locks: Known,
    channels: Known,
    workers: Known,
    cpu_looks: CpuLooks,
    changed: Changed,
    /// Totals of sites as they were sent last, by the site's id.
    totals: HashMap<u32, [u64; 8]>,
    /// Orders of locks: how often each was seen when it was sent last, and when it was.
    orders: HashMap<u32, (u64, u64)>,
    /// By channel: how many were sent, and since when it is that many (ticks).
    last_sends: HashMap<u64, (u64, u64)>,
    last_panic: u64,
    watchdog: Watchdog,
    /// Somebody is there who can be told of stacks.
    looks: bool,
    /// Stacks of the polls that were looked at last, by worker.
    stacks: HashMap<u64, Stack>,
    /// Lines at which things were seen, by what and where.
    sights: BTreeMap<(u8, u64), Sight>,
    seq: u64,
    /// When the last tick was read, in nanoseconds since the start.
    now_ns: u64,
    /// Who is told the same in another tongue.
    #[cfg(feature = "console")]
    consoles: Consoles,
}

/// Indices of slots that changed.
#[derive(Default)]
struct Changed {
    tasks: Vec<u32>,
    locks: Vec<u32>,
    channels: Vec<u32>,
}

impl Collector {
    pub(crate) fn new(recorder: &'static Recorder, stacks: bool) -> Self {
        Self {
            recorder,
            dictionary: Dictionary::default(),
            told: wire::DictionaryKnown::default(),
            tasks: Known::default(),
            locks: Known::default(),
            channels: Known::default(),
            workers: Known::default(),
            cpu_looks: CpuLooks::default(),
            changed: Changed::default(),
            totals: HashMap::new(),
            orders: HashMap::new(),
            last_sends: HashMap::new(),
            last_panic: 0,
            watchdog: Watchdog::new(recorder, stacks),
            looks: false,
            stacks: HashMap::new(),
            sights: BTreeMap::new(),
            seq: 0,
            now_ns: 0,
            #[cfg(feature = "console")]
            consoles: Consoles::default(),
        }
    }

    /// The consoles that are told what is read.
    #[cfg(feature = "console")]
    pub(crate) fn consoles(&self) -> Consoles {
        self.consoles.clone()
    }

    /// Why no stacks of blocked polls can be had, if they cannot.
    pub(crate) fn no_stacks(&self) -> Option<String> {
        self.watchdog.unavailable()
    }

    /// Reads what changed and tells the subscribers.
    pub(crate) async fn tick(&mut self, subscribers: &Subscribers) {
        self.take_changed();
        ::tokio::time::sleep(SETTLE).await;

        let delta = self.delta(subscribers);
        subscribers.send(&delta);
        self.continue_snapshots(subscribers);
    }

    fn take_changed(&mut self) {
        let Changed { tasks, locks, channels } = &mut self.changed;
        tasks.clear();
        locks.clear();
        channels.clear();
        self.recorder.tasks.take_changed(tasks);
        self.recorder.locks.take_changed(locks);
        self.recorder.channels.take_changed(channels);
    }

    /// How long to wait before another look at the threads, after so many since the tick, where one is wanted.
    pub(crate) fn closer_look(&self, looks: u32) -> Option<Duration> {
        self.watchdog.closer_look(looks).filter(|_| self.looks)
    }

    /// Nobody is attached any more.
    pub(crate) fn stop(&mut self) {
        self.watchdog.stop();
    }

    /// Looks at them.
    pub(crate) fn look_closer(&mut self) {
        self.watchdog.look_closer();
    }

    /// Sends more of the snapshots that are under way, as far as their subscribers take it.
    pub(crate) fn continue_snapshots(&mut self, subscribers: &Subscribers) {
        subscribers.snapshots(|cursor| self.snapshot_piece(cursor));
    }

    fn delta(&mut self, subscribers: &Subscribers) -> Vec<EncodedUpdate> {
        self.seq += 1;
        let mut messages = Messages::default();
        // At an attach all slots have changed since somebody was last there, and the snapshot has them all.
        let rows = subscribers.take_deltas();
        // No thread is interrupted for consoles, which cannot be told of stacks.
        self.looks = subscribers.count() > 0;
        if !self.looks {
            self.watchdog.stop();
        }
        let stacks = if self.looks { self.watchdog.look() } else { Vec::new() };
        // Before anything is read: what was read has lasted at least until then, however long the reading is held up.
        let now_ns = clock::since_start_ns(clock::ticks());
        let runtimes = runtimes::read();
        let running = self.workers(&mut messages, &runtimes);
        messages.runtime_states(&runtimes, &mut self.dictionary);
        self.tasks(&mut messages, &running, rows);
        self.locks(&mut messages, rows);
        self.channels(&mut messages, rows);
        #[cfg(feature = "console")]
        self.tell_consoles(&running);
        for site in self.recorder.sites.all().filter(|site| site.has_totals()) {
            let version = wire::totals_version(site);
            if self.totals.insert(site.id, version) != Some(version) {
                messages.site_totals(site, &mut self.dictionary);
            }
        }
        for site in self.recorder.sites.all().filter(|site| site.is_oneshot()) {
            let version = wire::oneshots_version(site);
            if self.totals.insert(site.id, version) != Some(version) {
                messages.oneshot_totals(site, &mut self.dictionary);
            }
        }
        for (id, order) in self.recorder.orders.all() {
            let version = (order.times, order.last_at);
            if self.orders.insert(id, version) != Some(version) {
                messages.lock_order(id, &order, &mut self.dictionary);
            }
        }
        for panic in self.recorder.panics.after(self.last_panic) {
            self.last_panic = panic.number;
            messages.panic(&panic, &mut self.dictionary);
        }
        for stack in stacks {
            messages.stack(&stack, &mut self.dictionary);
            self.stacks.insert(stack.worker, stack);
        }
        self.stacks.retain(|_, stack| running.is_in(stack.worker, stack.poll_started));
        let sites = self.recorder.sites.all();
        let given_up: Vec<Sight> = sites.filter_map(|site| self.given_up(site)).collect();
        for sight in self.watchdog.sights().into_iter().chain(given_up) {
            messages.sight(&sight, &mut self.dictionary);
            self.sights.insert((sight.kind as u8, sight.of), sight);
        }
        messages.status(self.loss(), self.cost(subscribers));
        if self.looks {
            self.watchdog.look_into_polls();
        }

        let news = self.dictionary.news(&mut self.told);
        let mut messages = self.sealed(news.into_iter().chain(messages.finish()));
        // Time goes on with the last: until then, some rows are still those of the tick before.
        self.now_ns = now_ns;
        if let Some(last) = messages.last_mut() {
            last.now_ns = now_ns;
        }
        messages.iter().map(EncodedUpdate::from).collect()
    }

    /// Where what is of a site was given up the last time, if that is news. What is not known any more is in no snapshot.
    fn given_up(&mut self, site: &Site) -> Option<Sight> {
        let (kind, of) = (SightKind::GivenUp, site.id.into());
        let key = (kind as u8, of);
        let Some(GivenUp { place, at }) = site.given_up() else {
            self.sights.remove(&key);
            return None;
        };
        let (line, column) = (place.line(), place.column());
        let is_news = self.sights.get(&key).is_none_or(|known| {
            let told = &known.frame;
            (known.at, told.file.as_str(), told.line, told.column) != (at, place.file(), line, column)
        });
        let frame = || {
            let file = place.file().to_owned();
            Frame { function: String::new(), file, line, column, user: true, body: true }
        };
        is_news.then(|| Sight { kind, of, at, frame: frame(), cause: Cause::Unknown })
    }

    fn sealed(&self, messages: impl Iterator<Item = Update>) -> Vec<Update> {
        messages.map(|message| Update { seq: self.seq, now_ns: self.now_ns, ..message }).collect()
    }

    /// All workers; returns what they run.
    fn workers(&mut self, messages: &mut Messages, runtimes: &[RuntimeReading]) -> Running {
        let mut running = Running::default();
        let mut round = self.cpu_looks.begin();
        for (index, slot) in self.recorder.workers.all() {
            let sample = CpuLooks::sample(slot, &mut round);
            let worker = slot.read();
            let id = worker.as_ref().map_or(0, |worker| worker.id);
            if let Some(gone) = self.workers.now(index, id).gone {
                messages.gone(Gone::Worker, gone);
                self.cpu_looks.forget(gone);
            }
            if let Some(worker) = worker {
                running.add(&worker);
                let cpu = self.cpu_looks.look(slot, &worker, &sample);
                messages.worker_state(&worker, cpu, detail_of(&worker, runtimes), &mut self.dictionary);
            }
        }
        running
    }

    /// Tasks that changed; `rows` tells whether anybody takes what is told of them, as below.
    fn tasks(&mut self, messages: &mut Messages, running: &Running, rows: bool) {
        let changed = self.changed.tasks.iter().filter_map(|&index| self.recorder.tasks.at(index));
        // A poll in progress changes nothing in its slot until it ends. Some rows come twice so, which does no harm.
        let in_poll = running.tasks.values().map(|&(slot, _)| slot);
        // A task that is known only while it waits may have given a slot back and got another since the last tick.
        let (mut gone, mut again) = (Vec::new(), HashSet::new());
        for slot in changed.chain(in_poll) {
            let renamed = slot.take_renamed();
            let task = slot.read();
            let id = task.as_ref().map_or(0, |task| task.id);
            let unwatched = |task: &TaskReading| task.kind == TaskKind::Unwatched as u8;
            #[cfg(feature = "console")]
            self.consoles.task(self.recorder, Arena::index(slot), task.as_ref(), running.since(id));
            let news = self.tasks.now(Arena::index(slot), id);
            if !rows {
                continue;
            }
            gone.extend(news.gone);
            if let Some(task) = task {
                self.watchdog.polled(slot, &task);
                if renamed || news.born {
                    messages.task_birth(&task, &mut self.dictionary);
                    if unwatched(&task) {
                        again.insert(id);
                    }
                }
                messages.task_state(&task, running.since(id), &mut self.dictionary);
            }
        }
        for id in gone.into_iter().filter(|id| !again.contains(id)) {
            messages.gone(Gone::Task, id);
        }
    }

    fn locks(&mut self, messages: &mut Messages, rows: bool) {
        for &index in &self.changed.locks {
            let slot = self.recorder.locks.at(index);
            let renamed = slot.is_some_and(LockSlot::take_renamed);
            let lock = slot.and_then(LockSlot::read);
            #[cfg(feature = "console")]
            self.consoles.lock(index, lock.as_ref());
            let news = self.locks.now(index, lock.as_ref().map_or(0, |lock| lock.id));
            if !rows {
                continue;
            }
            if let Some(gone) = news.gone {
                messages.gone(Gone::Lock, gone);
            }
            if let Some(lock) = lock {
                if renamed || news.born {
                    messages.lock_birth(&lock, &mut self.dictionary);
                }
                messages.lock_state(&lock, &mut self.dictionary);
                messages.cut_short(&lock, &mut self.dictionary);
            }
        }
    }

    fn channels(&mut self, messages: &mut Messages, rows: bool) {
        let now = clock::ticks();
        for &index in &self.changed.channels {
            let slot = self.recorder.channels.at(index);
            let renamed = slot.is_some_and(ChannelSlot::take_renamed);
            let channel = slot.and_then(ChannelSlot::read);
            #[cfg(feature = "console")]
            self.consoles.channel(index, channel.as_ref());
            let news = self.channels.now(index, channel.as_ref().map_or(0, |channel| channel.id));
            if let Some(gone) = news.gone {
                self.last_sends.remove(&gone);
                if rows {
                    messages.gone(Gone::Channel, gone);
                }
            }
            if let Some(channel) = channel {
                let last_send = self.last_sends.entry(channel.id).or_default();
                let sends = channel.sent + channel.unheard;
                if last_send.0 != sends {
                    *last_send = (sends, now);
                }
                if !rows {
                    continue;
                }
                if renamed || news.born {
                    messages.channel_birth(&channel, &mut self.dictionary);
                }
                messages.channel_state(&channel, last_send.1, &mut self.dictionary);
            }
        }
    }

    /// Ends the tick for the consoles. The first of them is told of everything, not only of what changes from now on.
    #[cfg(feature = "console")]
    fn tell_consoles(&self, running: &Running) {
        if self.consoles.want_all() {
            for (index, slot) in self.recorder.tasks.all() {
                let task = slot.read();
                let since = task.as_ref().and_then(|task| running.since(task.id));
                self.consoles.task(self.recorder, index, task.as_ref(), since);
            }
            for (index, slot) in self.recorder.locks.all() {
                self.consoles.lock(index, slot.read().as_ref());
            }
            for (index, slot) in self.recorder.channels.all() {
                self.consoles.channel(index, slot.read().as_ref());
            }
        }
        self.consoles.tick(self.recorder);
    }

    fn loss(&self) -> v1::Loss {
        v1::Loss {
            shed_tasks: self.recorder.tasks.shed(),
            shed_locks: self.recorder.locks.shed(),
            shed_channels: self.recorder.channels.shed(),
            shed_sites: self.recorder.sites.shed() + self.dictionary.shed(),
            shed_panics: self.recorder.panics.shed(),
            shed_names: names::shed(),
            shed_details: self.recorder.shed_details(),
            shed_stacks: self.watchdog.shed(),
        }
    }

    fn cost(&self, subscribers: &Subscribers) -> v1::Cost {
        v1::Cost {
            cpu_ns: clock::thread_cpu_ns() + self.watchdog.cpu_ns() + standstill::cpu_ns(),
            memory_bytes: self.recorder.memory_bytes() + self.dictionary.memory_bytes(),
            memory_limit_bytes: self.recorder.limit_bytes(),
            subscribers: subscribers.count() as u32,
        }
    }
}

/// What its runtime tells of a worker.
fn detail_of<'a>(worker: &WorkerReading, runtimes: &'a [RuntimeReading]) -> Option<&'a WorkerDetail> {
    let details = runtimes.iter().filter_map(|runtime| runtime.detail.as_ref());
    details.flat_map(|detail| &detail.workers).find(|detail| detail.thread != 0 && detail.thread == worker.thread)
}

//! Panics of tasks: what they said and where. A panic is rare and slow by nature, so here an instrument allocates and takes
//! a lock; it never waits for one.
use std::{
    collections::VecDeque,
    panic::PanicHookInfo,
    sync::{
        Mutex, Once,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{active, clock, own_thread, thread};
use crate::say::say;

/// The newest panics kept.
const KEPT: usize = 256;
/// Bytes of a message kept.
const MESSAGE_BYTES: usize = 1024;

/// A panic of a task; `at` in ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PanicRecord {
    /// Counts up from 1; tells a reader what is new.
    pub(crate) number: u64,
    pub(crate) task: u64,
    pub(crate) site: u32,
    pub(crate) at: u64,
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The newest panics.
pub(crate) struct Panics {
    records: Mutex<VecDeque<PanicRecord>>,
    count: AtomicU64,
    shed: AtomicU64,
}

impl Panics {
    pub(super) const fn new() -> Self {
        Self { records: Mutex::new(VecDeque::new()), count: AtomicU64::new(0), shed: AtomicU64::new(0) }
    }

    fn record(&self, mut record: PanicRecord) {
        let Ok(mut records) = self.records.try_lock() else {
            self.shed.fetch_add(1, Relaxed);
            return;
        };
        record.number = self.count.fetch_add(1, Relaxed) + 1;
        if records.len() == KEPT {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// Panics with a number above `number`, oldest first.
    pub(crate) fn after(&self, number: u64) -> Vec<PanicRecord> {
        if self.count.load(Relaxed) <= number {
            return Vec::new();
        }
        match self.records.try_lock() {
            Ok(records) => records.iter().filter(|record| record.number > number).cloned().collect(),
            // A task panics right now; the next reading gets them.
            Err(_) => Vec::new(),
        }
    }

    /// Panics whose message was not kept.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }
}

/// Puts a hook before the one that is there, which still does what it did.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(hook(std::panic::take_hook()));
    });
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// The app's hook may end the process, which a panic of the probe's own is no reason for.
fn hook(before: Hook) -> Hook {
    Box::new(move |info| {
        if own_thread::is() {
            say(&format!("a bug of the probe's own: {info}").replace('\n', " "));
        } else {
            record(info);
            before(info);
        }
    })
}

fn record(info: &PanicHookInfo<'_>) {
    let (Some(recorder), Some(task)) = (active(), thread::current_task()) else { return };
    thread::poll_panics();
    let message = info.payload_as_str().unwrap_or_default();
    let end = message.floor_char_boundary(MESSAGE_BYTES);
    let (file, line, column) = info.location().map_or(("", 0, 0), |at| (at.file(), at.line(), at.column()));
    recorder.panics.record(PanicRecord {
        number: 0,
        task: task.id(),
        site: task.site().id,
        at: clock::ticks(),
        message: message[..end].to_owned(),
        file: file.to_owned(),
        line,
        column,
    });
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicBool, thread};

    use super::*;

    #[test]
    fn a_panic_of_the_probes_own_thread_does_not_come_to_the_apps_hook() {
        static ASKED: AtomicBool = AtomicBool::new(false);
        const NAME: &str = "own-panic";
        let app = |info: &PanicHookInfo<'_>| {
            // Other tests may panic meanwhile.
            ASKED.fetch_or(thread::current().name() == Some(NAME), Relaxed);
            drop(info.to_string());
        };
        let ours = std::panic::take_hook();
        std::panic::set_hook(hook(Box::new(app)));
        let panics = |own: bool| {
            let thread = thread::Builder::new().name(NAME.to_owned()).spawn(move || {
                if own {
                    own_thread::begin();
                }
                panic!("on purpose");
            });
            assert!(thread.unwrap().join().is_err());
            ASKED.swap(false, Relaxed)
        };
        let asked = [panics(true), panics(false)];
        std::panic::set_hook(ours);
        assert_eq!(asked, [false, true]);
    }
}

//! Which faults there are, where their lines are, and which are on.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::marked_line;

/// A fault of the shop.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// One sentence: what goes wrong while it is on.
    pub about: &'static str,
    /// The guilty file, as `Location::file()` has it.
    pub file: &'static str,
    source: &'static str,
}

impl Fault {
    /// The line in [`Fault::file`] that a finding must name, counted from 1.
    pub fn line(&self) -> u32 {
        marked_line(self.source, "fault", self.rule)
    }

    /// The line of [`Fault::file`] that is to be opened; mostly the same.
    pub fn line_to_open(&self) -> u32 {
        match marked_line(self.source, "open", self.rule) {
            0 => self.line(),
            other => other,
        }
    }
}

macro_rules! faults {
    ($($variant:ident $rule:literal $file:literal $about:literal;)*) => {
        /// Names for the faults inside the shop; the order is that of [`FAULTS`].
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Which { $($variant),* }

        /// Every fault of the shop.
        pub static FAULTS: &[Fault] = &[$(Fault {
            rule: $rule,
            about: $about,
            file: concat!("inspector/zoo/src/shop/", $file),
            source: include_str!($file),
        }),*];
    };
}

faults! {
    LongPoll "long-poll" "workers.rs" "thumbnails are scaled inside an async task";
    BlockedWorker "blocked-worker" "workers.rs" "the bank is called through its synchronous SDK inside an async task";
    LockContention "lock-contention" "inventory.rs" "offers are ranked under the lock of the inventory";
    LockHeldAcrossAwait "lock-held-across-await" "prices.rs" "the supplier is asked under the lock of the prices";
    ChannelSaturated "channel-saturated" "orders.rs" "orders are packed one at a time, slower than they come in";
    ChannelGrowing "channel-growing" "audit.rs" "the audit log is written one entry at a time, slower than it grows";
    NeverAwaitedHandle "never-awaited-handle" "mail.rs" "receipts are mailed by tasks whose Result nobody reads";
    LostPanic "lost-panic" "tracking.rs" "parcel updates are parsed by detached tasks, and some panic";
}

/// The fault that breaks this rule.
pub fn fault(rule: &str) -> Option<&'static Fault> {
    FAULTS.iter().find(|fault| fault.rule == rule)
}

/// Which faults are on.
#[derive(Debug, Clone, Default)]
pub(super) struct Switches(Arc<[AtomicBool; 8]>);

impl Switches {
    pub(super) fn on(&self, which: Which) -> bool {
        self.0[which as usize].load(Ordering::Relaxed)
    }

    /// The rules in the order of [`FAULTS`], and whether each is on.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static Fault, bool)> {
        FAULTS.iter().zip(self.0.iter().map(|switch| switch.load(Ordering::Relaxed)))
    }

    /// Switches one; false when there is no such fault.
    pub(super) fn set(&self, rule: &str, on: bool) -> bool {
        let Some(index) = FAULTS.iter().position(|fault| fault.rule == rule) else { return false };
        self.0[index].store(on, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_marks_a_line_of_its_file() {
        for fault in FAULTS {
            assert!(fault.line() > 0, "{}", fault.rule);
        }
    }

    #[test]
    fn a_switch_turns_on_the_fault_of_its_name() {
        let switches = Switches::default();
        assert!(switches.set("lost-panic", true));
        assert!(switches.on(Which::LostPanic));
        assert!(!switches.on(Which::LongPoll));
        assert!(switches.set("lost-panic", false));
        assert!(!switches.on(Which::LostPanic));
        assert!(!switches.set("lost-panics", true));
        assert_eq!(switches.all().count(), FAULTS.len());
    }
}

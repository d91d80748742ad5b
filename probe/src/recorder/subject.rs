//! What a span of the `tracing` layer stands for: a slot or a site, none of which is ever freed; and which of these.
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};

use super::{channel::ChannelSlot, lock::LockSlot, site::Site, task::TaskSlot};

/// An address, with the type of what lies there in its lowest bits; null for nothing. One word, so that whoever comes to a
/// span's place as it becomes another span's gets what either stands for, and never takes a lock for a channel.
#[derive(Default)]
pub(crate) struct Subject(AtomicPtr<()>);

/// Bits of the type.
const TYPE: usize = 0b111;

/// What a span may stand for.
///
/// # Safety
/// `TYPE` is no other type's, and neither 0 nor above [`TYPE`].
pub(crate) unsafe trait Lasting: Sync + 'static {
    const TYPE: usize;
}

// SAFETY: this and those below are four numbers.
unsafe impl Lasting for TaskSlot {
    const TYPE: usize = 1;
}
// SAFETY: as above.
unsafe impl Lasting for LockSlot {
    const TYPE: usize = 2;
}
// SAFETY: as above.
unsafe impl Lasting for ChannelSlot {
    const TYPE: usize = 3;
}
// SAFETY: as above.
unsafe impl Lasting for Site {
    const TYPE: usize = 4;
}

impl Subject {
    pub(crate) fn set<T: Lasting>(&self, it: &'static T) {
        const { assert!(align_of::<T>() > TYPE, "the bits are free") };
        let address = std::ptr::from_ref(it).cast_mut().cast::<()>();
        self.0.store(address.map_addr(|addr| addr | T::TYPE), Release);
    }

    /// Becomes what `other` is.
    pub(crate) fn set_as(&self, other: &Self) {
        self.0.store(other.0.load(Acquire), Release);
    }

    /// It, if it is a `T`.
    #[inline]
    pub(crate) fn get<T: Lasting>(&self) -> Option<&'static T> {
        let word = self.0.load(Acquire);
        // SAFETY: with these bits `set` made it of a `&'static T`.
        (word.addr() & TYPE == T::TYPE).then(|| unsafe { &*word.map_addr(|addr| addr & !TYPE).cast::<T>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{
        channel::ChannelKind,
        lock::LockKind,
        site::{SiteInfo, SiteKind},
    };

    #[test]
    fn what_a_span_stands_for_is_never_taken_for_a_thing_of_another_type() {
        let recorder = crate::testing::recorder();
        let info = SiteInfo::of_thing(SiteKind::Lock, std::panic::Location::caller(), "");
        let lock = LockSlot::register(recorder, &info, LockKind::Mutex, |_| ()).unwrap();
        let channel = ChannelSlot::register(recorder, &info, ChannelKind::Mpsc, 1).unwrap();
        let (subject, other) = (Subject::default(), Subject::default());
        assert!(subject.get::<LockSlot>().is_none(), "nothing yet");

        subject.set(lock);
        assert!(std::ptr::eq(subject.get::<LockSlot>().unwrap(), lock));
        let others = (subject.get::<ChannelSlot>(), subject.get::<TaskSlot>(), subject.get::<Site>());
        assert!(matches!(others, (None, None, None)));

        other.set(channel.slot());
        subject.set_as(&other);
        assert!(std::ptr::eq(subject.get::<ChannelSlot>().unwrap(), channel.slot()));
        assert!(subject.get::<LockSlot>().is_none());
        lock.retire();
    }
}

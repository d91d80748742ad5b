//! Places in the source where tasks are spawned and locks and channels are made, with the totals of what came from
//! there. What is written once an operation is in [`Totals`], the rest is written less often; all of it survives the slots.
use std::{
    alloc::{Layout, alloc},
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    active,
    disposal::{Disposal, DisposalReading},
    lock::{location, set_location},
    made_once::{Made, MadeOnce},
    oneshot::Outcomes,
    place::Place,
    thread,
    totals::{Total, Totals},
};

/// Whether a place is one of the standard library or of the probe: where a `Default`, a `&mut` or a `dyn` passes on what the
/// app calls, nothing tells from where. By way of a `dyn`, a method is called from where it is written.
#[inline]
pub(crate) fn is_passed_on(place: &'static Location<'static>) -> bool {
    /// What was found last of the places that fall here: the address, and in its lowest bit whether it is.
    static SEEN: [AtomicUsize; 256] = [const { AtomicUsize::new(0) }; 256];
    let address = std::ptr::from_ref(place).addr();
    let seen = &SEEN[address / align_of::<Location<'_>>() % SEEN.len()];
    let known = seen.load(Relaxed);
    if known & !1 == address { known & 1 != 0 } else { look(place, address, seen) }
}

#[cold]
fn look(place: &Location<'_>, address: usize, seen: &AtomicUsize) -> bool {
    let file = place.file();
    // As built with the toolchain, and where its sources are installed.
    let is_in_std =
        file.starts_with("/rustc/") || file.contains("/rustlib/src/rust/") || file.contains(r"\rustlib\src\rust\");
    let is_passed_on = is_in_std || is_the_probes(file);
    seen.store(address | usize::from(is_passed_on), Relaxed);
    is_passed_on
}

/// Whether a file is one of the probe's.
fn is_the_probes(file: &str) -> bool {
    const THIS: &str = file!();
    const FOLDER: &str = THIS.split_at(THIS.len() - "recorder/site.rs".len()).0;
    // In the probe's own tests, the tests are the app.
    file.strip_prefix(FOLDER).is_some_and(|file| !(cfg!(test) && file.contains("tests")))
}

/// What is made at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SiteKind {
    Spawn = 1,
    Lock = 2,
    Channel = 3,
    /// Where oneshot channels are made, which have no slots.
    Oneshot = 4,
    /// Where a task waits of which nothing else is known.
    Wait = 5,
    /// Where a future is given a limit of time: those that came to an end count as finished, those that did not as aborted
    /// too.
    Timeout = 6,
}

/// What the tasks of a spawn site return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum OutputKind {
    Unknown = 0,
    Unit = 1,
    Result = 2,
    Value = 3,
}

/// What tells one site from another, and what is the same for all that is made there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiteInfo {
    pub(crate) kind: SiteKind,
    pub(crate) location: Place,
    /// Type of the future, or of what a lock or channel carries.
    pub(crate) type_name: &'static str,
    pub(crate) output: OutputKind,
    /// Size of a future that is spawned here.
    pub(crate) future_bytes: u32,
}

impl SiteInfo {
    /// Of what has no output and no future that is known: locks and channels of a `type_name`, made at `made`.
    pub(crate) fn of_thing(kind: SiteKind, made: impl Into<Place>, type_name: &'static str) -> Self {
        Self { kind, location: made.into(), type_name, output: OutputKind::Unknown, future_bytes: 0 }
    }
}

/// A site and its totals.
#[derive(Debug)]
pub(crate) struct Site {
    /// Dense, from 1, in the order in which sites came up.
    pub(crate) id: u32,
    pub(crate) info: SiteInfo,
    totals: Totals,
    /// Of those that are shed, the ones that ended as far as the runtime's hooks tell.
    #[cfg(tokio_unstable)]
    pub(super) shed_ended: AtomicU64,
    pub(crate) max_poll: AtomicU64,
    pub(crate) slow_polls: AtomicU64,
    pub(crate) slow_poll_total: AtomicU64,
    pub(crate) last_slow_poll: AtomicU64,
    pub(crate) last_slow_poll_at: AtomicU64,
    pub(crate) last_slow_poll_task: AtomicU64,
    pub(crate) oneshots: Outcomes,
    /// Of tasks, who called `abort`, or dropped their set; of oneshots, who dropped the sender.
    disposal: Disposal,
    disposed_at: AtomicPtr<Location<'static>>,
    /// Where a task from here, or the holder of a lock from here, last awaited what was given up unfinished.
    given_up_at: AtomicPtr<Location<'static>>,
    /// When that was, in ticks.
    given_up_on: AtomicU64,
}

/// What was given up last of a site, where it is known what was awaited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GivenUp {
    pub(crate) place: &'static Location<'static>,
    /// Ticks.
    pub(crate) at: u64,
}

impl Site {
    /// Counts `n` more.
    #[inline]
    pub(crate) fn add(&self, total: Total, n: u64) {
        self.add_each([(total, n)]);
    }

    /// Counts so many more of each.
    #[inline]
    pub(super) fn add_each<const N: usize>(&self, each: [(Total, u64); N]) {
        self.totals.add(thread::number(), each);
    }

    /// Counts one that is made here, and that it is shed where there is no slot for it.
    #[inline]
    pub(crate) fn made<S>(&self, slot: Option<S>) -> Option<S> {
        self.add(Total::Spawned, 1);
        if slot.is_none() {
            self.add(Total::Shed, 1);
        }
        slot
    }

    /// What was counted so far.
    pub(crate) fn total(&self, total: Total) -> u64 {
        self.totals.get(total)
    }

    /// Whether what comes from here is told in totals: tasks, and futures with a limit of time.
    pub(crate) fn has_totals(&self) -> bool {
        matches!(self.info.kind, SiteKind::Spawn | SiteKind::Timeout)
    }

    /// Whether oneshot channels come from here.
    pub(crate) fn is_oneshot(&self) -> bool {
        self.info.kind == SiteKind::Oneshot
    }

    /// A task from here is aborted, or a sender from here goes, by the task in poll, at `place` if that is known.
    #[cold]
    pub(crate) fn dispose(&self, place: Option<&'static Location<'static>>) {
        set_location(&self.disposed_at, place);
        self.disposal.note();
    }

    /// The newest of these; `None` before the first.
    pub(crate) fn disposal(&self) -> Option<DisposalReading> {
        self.disposal.read(location(&self.disposed_at))
    }

    /// What was awaited at `place` was given up: see [`Site::given_up`]. Where the place is not known, that of an earlier
    /// time says nothing of this one.
    #[cold]
    pub(super) fn gives_up(&self, place: Option<&'static Location<'static>>, at: u64) {
        if place.is_some() || location(&self.given_up_at).is_some() {
            set_location(&self.given_up_at, place);
            self.given_up_on.store(at, Release);
        }
    }

    /// Where a task from here, or the holder of a lock from here, awaited what was given up unfinished the last time; `None`
    /// where that is not known. Two that give up at once may mix theirs.
    pub(crate) fn given_up(&self) -> Option<GivenUp> {
        let at = self.given_up_on.load(Acquire);
        location(&self.given_up_at).map(|place| GivenUp { place, at })
    }

    /// Notes a poll over the limit.
    #[cold]
    pub(crate) fn slow_poll(&self, task: u64, took: u64, at: u64) {
        self.slow_poll_total.fetch_add(took, Relaxed);
        // Three facts about the newest one; two slow polls that end at once may mix theirs, each still true.
        self.last_slow_poll.store(took, Relaxed);
        self.last_slow_poll_task.store(task, Relaxed);
        self.last_slow_poll_at.store(at, Relaxed);
        self.slow_polls.fetch_add(1, Release);
    }
}

const PLACES: usize = 8192;
/// A probe sequence longer than this means that the table is full for practical purposes.
const MAX_PROBES: usize = 64;

/// All sites: an open-addressed table that only grows, keyed by the addresses of a site's place and type name.
pub(crate) struct Sites {
    places: [MadeOnce<Site>; PLACES],
    by_id: [AtomicPtr<Site>; PLACES],
    count: AtomicU32,
    shed: AtomicU64,
}

impl Sites {
    #[allow(clippy::large_stack_arrays, reason = "made in constants and tests only")]
    pub(crate) const fn new() -> Self {
        Self {
            places: [const { MadeOnce(AtomicPtr::new(std::ptr::null_mut())) }; PLACES],
            by_id: [const { AtomicPtr::new(std::ptr::null_mut()) }; PLACES],
            count: AtomicU32::new(0),
            shed: AtomicU64::new(0),
        }
    }

    /// The site of `info`, made if it is new; `None` when there are too many, and counted.
    #[inline]
    pub(crate) fn get(&'static self, info: &SiteInfo) -> Option<&'static Site> {
        match self.look(info) {
            Ok(site) => Some(site),
            Err(Some(place)) => self.insert(place, info),
            Err(None) => {
                self.shed.fetch_add(1, Relaxed);
                None
            }
        }
    }

    /// The site of `info`, if there is one.
    pub(crate) fn known(&'static self, info: &SiteInfo) -> Option<&'static Site> {
        self.look(info).ok()
    }

    /// The site of `info`, or the place that it would have, unless the table is full there.
    #[inline]
    fn look(&'static self, info: &SiteInfo) -> Result<&'static Site, Option<usize>> {
        let mut place = hash(info) % PLACES;
        for _ in 0..MAX_PROBES {
            match self.places[place].get() {
                Some(site) if same(&site.info, info) => return Ok(site),
                Some(_) => place = (place + 1) % PLACES,
                None => return Err(Some(place)),
            }
        }
        Err(None)
    }

    #[cold]
    fn insert(&'static self, place: usize, info: &SiteInfo) -> Option<&'static Site> {
        let layout = Layout::new::<Site>();
        if !active().is_none_or(|recorder| recorder.ceiling().has_room_for_site(layout.size() as u64)) {
            self.shed.fetch_add(1, Relaxed);
            return None;
        }
        #[allow(clippy::cast_ptr_alignment, reason = "the layout asks for a site's alignment")]
        // SAFETY: a `Site` is not of size zero. `alloc` rather than `Box::new`, which would abort the host where memory
        // ran out.
        let new = unsafe { alloc(layout) }.cast::<Site>();
        if new.is_null() {
            self.shed.fetch_add(1, Relaxed);
            return None;
        }
        let id = self.count.fetch_add(1, Relaxed) + 1;
        if id as usize >= PLACES {
            self.count.fetch_sub(1, Relaxed);
            // SAFETY: made above, shown to nobody.
            unsafe { std::alloc::dealloc(new.cast(), layout) };
            self.shed.fetch_add(1, Relaxed);
            return None;
        }
        // SAFETY: `new` is valid for a `Site` and not initialised yet.
        unsafe { new.write(Site::new(id, *info)) };
        // Where another thread took the place, the id stays a gap, which readers skip. A site has no destructor.
        // SAFETY: just written; it was made with this layout.
        match unsafe { self.places[place].make_with(new, |new| std::alloc::dealloc(new.cast(), layout)) } {
            Made::Ours(site) => {
                self.by_id[id as usize].store(new, Release);
                Some(site)
            }
            Made::Theirs(_) => self.get(info),
        }
    }

    /// All sites, in the order of their ids.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static Site> {
        let count = self.count.load(Relaxed) as usize;
        // SAFETY: null, or a site that is never freed.
        (1..=count.min(PLACES - 1)).filter_map(|id| unsafe { self.by_id[id].load(Acquire).as_ref() })
    }

    /// The site with that id, if there is one.
    pub(crate) fn by_id(&'static self, id: u64) -> Option<&'static Site> {
        // SAFETY: null, or a site that is never freed.
        unsafe { self.by_id.get(usize::try_from(id).ok()?)?.load(Acquire).as_ref() }
    }

    /// Bytes taken.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.count.load(Relaxed)) * size_of::<Site>() as u64
    }

    /// Look-ups that found no room.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }
}

impl Site {
    fn new(id: u32, info: SiteInfo) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            id,
            info,
            totals: Totals::new(),
            #[cfg(tokio_unstable)]
            shed_ended: zero(),
            max_poll: zero(),
            slow_polls: zero(),
            slow_poll_total: zero(),
            last_slow_poll: zero(),
            last_slow_poll_at: zero(),
            last_slow_poll_task: zero(),
            oneshots: Outcomes::default(),
            disposal: Disposal::default(),
            disposed_at: AtomicPtr::default(),
            given_up_at: AtomicPtr::default(),
            given_up_on: zero(),
        }
    }
}

/// The compiler may give one place in the source several addresses; then it is several sites with one text, and the
/// inspector's lists show them as what they are. It never gives two places one address with the same type.
#[inline]
fn same(a: &SiteInfo, b: &SiteInfo) -> bool {
    a.location.address() == b.location.address() && std::ptr::eq(a.type_name, b.type_name) && a.kind == b.kind
}

#[inline]
fn hash(info: &SiteInfo) -> usize {
    let key = info.location.address().rotate_left(17) ^ info.type_name.as_ptr() as usize;
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) ^ info.kind as usize
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    fn info(kind: SiteKind, location: &'static Location<'static>) -> SiteInfo {
        SiteInfo { kind, location: location.into(), type_name: "future", output: OutputKind::Unit, future_bytes: 0 }
    }

    #[test]
    fn a_place_is_one_site_for_all_threads_and_another_place_another() {
        let sites: &'static Sites = Box::leak(Box::new(Sites::new()));
        let (here, there) = (Location::caller(), here());
        let ids: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| sites.get(&info(SiteKind::Spawn, here)).map_or(0, |site| site.id)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|&id| id == ids[0] && id != 0), "{ids:?}");
        assert_ne!(sites.get(&info(SiteKind::Spawn, there)).unwrap().id, ids[0]);
        assert_ne!(sites.get(&info(SiteKind::Lock, here)).unwrap().id, ids[0]);
        assert_eq!(sites.all().count(), 3);
    }

    #[track_caller]
    fn here() -> &'static Location<'static> {
        Location::caller()
    }

    #[test]
    fn a_full_table_sheds_and_counts() {
        let sites: &'static Sites = Box::leak(Box::new(Sites::new()));
        let names: &'static str = Box::leak("x".repeat(PLACES + 100).into_boxed_str());
        let mut found = 0;
        for n in 0..PLACES + 100 {
            let info = SiteInfo { type_name: &names[n..=n], ..info(SiteKind::Spawn, Location::caller()) };
            found += u64::from(sites.get(&info).is_some());
        }
        assert!(found < PLACES as u64);
        assert_eq!(sites.shed(), (PLACES as u64 + 100) - found);
    }
}

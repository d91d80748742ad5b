//! Thousands of stacks of threads that are in the worst of places, and the signal beside a handler of the app's.
use std::{
    collections::HashMap,
    ffi::CStr,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{
    modules::Modules,
    signal::{self, Copy, Mark},
    tests::only_watchdog,
    unwind,
};
use crate::testing::wait_for;

/// Stacks taken of each thread.
const COPIES: u64 = 400;
/// One in so many is unwound.
const UNWOUND: u64 = 10;
/// Libraries that nothing else here loads, so that each is mapped and unmapped again.
#[cfg(target_env = "gnu")]
const LIBRARIES: [&CStr; 3] = [c"libanl.so.1", c"libutil.so.1", c"libBrokenLocale.so.1"];

/// A thread in a poll that does one thing over and over, and counts how often.
struct Busy {
    name: &'static str,
    tid: i32,
    stack: (usize, usize),
    rounds: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Busy {
    fn start(name: &'static str, stack_bytes: usize, mut round: impl FnMut() + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let (rounds, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, stopped) = (rounds.clone(), stop.clone());
        let poll = async move {
            while !stopped.load(Relaxed) {
                round();
                counted.fetch_add(1, Relaxed);
            }
        };
        let run = move || {
            tell.send(signal::this_thread()).unwrap();
            let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { ::tokio::spawn(poll).await.unwrap() });
        };
        let thread = std::thread::Builder::new().stack_size(stack_bytes).spawn(run).unwrap();
        let (tid, stack) = told.recv().unwrap();
        Self { name, tid, stack, rounds, stop, thread }
    }

    fn copy(&self, mark: Mark) -> Option<Copy> {
        signal::copy(self.tid, self.stack, mark)
    }

    /// It still gets on with its work, and ends when it is told to.
    fn ends_well(self) {
        let before = self.rounds.load(Relaxed);
        wait_for(|| self.rounds.load(Relaxed) > before);
        self.stop.store(true, Release);
        self.thread.join().unwrap();
    }
}

/// Blocks of all sizes, some of which another thread gives back; each must hold what was written to its ends.
fn allocating() -> impl FnMut() + Send + 'static {
    let (give, taken) = mpsc::sync_channel::<Vec<u8>>(64);
    let check = |block: &[u8]| assert_eq!(block.first(), block.last(), "somebody wrote into it");
    std::thread::spawn(move || taken.into_iter().for_each(|block| check(&block)));
    let mut held = vec![vec![0]; 64];
    let mut seed = 1_u32;
    move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // From a few bytes to what the allocator maps on its own.
        let bytes = 2 + (seed >> 8) as usize % (16 << (seed >> 28));
        let mut block = Vec::with_capacity(bytes);
        block.push(seed as u8);
        block.reserve_exact(2 * bytes);
        block.resize(bytes, 0);
        block[bytes - 1] = seed as u8;
        let block = std::mem::replace(&mut held[seed as usize % 64], block);
        check(&block);
        if seed & 0x100 != 0 {
            let _ = give.try_send(block);
        }
    }
}

/// Loads and unloads libraries, under the dynamic linker's lock.
#[cfg(target_env = "gnu")]
fn loading() -> impl FnMut() + Send + 'static {
    let mut next = 0;
    move || {
        next = (next + 1) % LIBRARIES.len();
        // SAFETY: the C library's own, whose initializers do nothing that a program has to be ready for.
        unsafe {
            let library = libc::dlopen(LIBRARIES[next].as_ptr(), libc::RTLD_NOW);
            assert!(!library.is_null(), "{:?} is not there", LIBRARIES[next]);
            libc::dlclose(library);
        }
    }
}

/// Unwinds, for which the list of modules is locked.
fn unwinding() {
    let caught = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(7)));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&7));
}

#[test]
#[cfg(target_env = "gnu")]
fn thousands_of_stacks_of_threads_in_malloc_and_dlopen_harm_nobody() {
    let (_only, _watchdog) = only_watchdog();
    let threads = [
        Busy::start("allocates", 1 << 20, allocating()),
        Busy::start("allocates", 1 << 20, allocating()),
        Busy::start("loads", 1 << 20, loading()),
        Busy::start("loads", 1 << 20, loading()),
        Busy::start("unwinds", 1 << 20, unwinding),
        Busy::start("has a small stack", 32 << 10, || drop(std::hint::black_box(vec![0; 100]))),
    ];
    let (mut modules, mut hit) = (Modules::default(), HashMap::<&str, u64>::new());
    let (mut taken, mut marked, mut in_library) = (0, 0, HashMap::<&str, u64>::new());
    for turn in 0..COPIES {
        for thread in &threads {
            let mark = [Mark::No, Mark::Read, Mark::Lower(turn as u32)][turn as usize % 3];
            // One that does not get a CPU in time is passed over.
            let Some(copy) = thread.copy(mark) else { continue };
            taken += 1;
            marked += u64::from(copy.marked.is_some());
            assert!((thread.stack.0..thread.stack.1).contains(&(copy.sp as usize)));
            if turn % UNWOUND == 0 {
                let addresses = unwind::addresses(&copy, &mut modules);
                *hit.entry(thread.name).or_default() += 1;
                let path = addresses.first().and_then(|&address| modules.path(address)).and_then(|path| path.to_str());
                let within = path.is_some_and(|path| path.contains("/libc") || path.contains("/ld-"));
                *in_library.entry(thread.name).or_default() += u64::from(within);
            }
        }
    }
    println!("{taken} stacks, {marked} with their poll's mark; unwound {hit:?}, of these in the C library {in_library:?}");
    let asked = COPIES * threads.len() as u64;
    assert!(taken > asked / 2, "{taken} of {asked}");
    assert!(marked > 0);
    // Or it was not the worst of places.
    for name in ["allocates", "loads"] {
        assert!(in_library[name] > 0, "no stack of one that {name} was within the C library");
    }
    threads.into_iter().for_each(Busy::ends_well);
}

#[test]
fn a_handler_that_the_app_had_gets_its_own_signals_and_only_those() {
    static OLD: AtomicU64 = AtomicU64::new(0);
    static NEW: AtomicU64 = AtomicU64::new(0);
    extern "C" fn old(_: libc::c_int) {
        OLD.fetch_add(1, AcqRel);
    }
    extern "C" fn new(_: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        assert!(!info.is_null() && !context.is_null());
        NEW.fetch_add(1, AcqRel);
    }
    fn handle(handler: usize, flags: libc::c_int) {
        // SAFETY: zero is a valid value of the structure; the handlers count, and have the signature that the flags say.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = flags;
            assert_eq!(libc::sigaction(libc::SIGURG, &raw const action, std::ptr::null_mut()), 0);
        }
    }
    fn signal_to(tid: i32) {
        // SAFETY: a system call with plain numbers; the thread lives.
        assert_eq!(unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGURG) }, 0);
    }
    let (_only, _watchdog) = only_watchdog();
    let thread = Busy::start("is signalled", 1 << 20, || std::thread::sleep(Duration::from_millis(1)));
    let forms = [(&OLD, old as extern "C" fn(libc::c_int) as usize, 0), (&NEW, new as *const () as usize, libc::SA_SIGINFO)];
    for (count, handler, flags) in forms {
        handle(handler, flags | libc::SA_RESTART);
        assert!(thread.copy(Mark::No).is_none(), "the signal is the app's, and is not sent");
        assert_eq!(count.load(Relaxed), 0);

        signal::install().unwrap();
        let mut copies = 0;
        wait_for(|| {
            copies += u64::from(thread.copy(Mark::No).is_some());
            copies == 100
        });
        // One that comes too late to be answered is one signal without a request.
        let late = count.load(Relaxed);
        for sent in 1..=20 {
            signal_to(thread.tid);
            wait_for(|| count.load(Relaxed) >= late + sent);
        }
    }
    thread.ends_well();
}

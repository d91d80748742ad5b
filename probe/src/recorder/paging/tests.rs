#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::PathBuf,
    ptr,
    sync::atomic::{AtomicI32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    recorder::cpu_wait::{ThreadState, thread_state},
    stacks,
};

const PAGE: usize = 4096;

/// Memory of this process, given back when dropped.
struct Mapped {
    at: *mut u8,
    pages: usize,
}

impl Mapped {
    fn new(pages: usize, flags: libc::c_int, file: libc::c_int) -> Self {
        // SAFETY: a new mapping where the system likes it.
        let at = unsafe { libc::mmap(ptr::null_mut(), pages * PAGE, libc::PROT_READ, flags, file, 0) };
        assert_ne!(at, libc::MAP_FAILED, "{}", io::Error::last_os_error());
        Self { at: at.cast(), pages }
    }

    fn touch(&self, page: usize) -> u8 {
        assert!(page < self.pages);
        // SAFETY: it is within the mapping, and the file is as long.
        unsafe { self.at.add(page * PAGE).read_volatile() }
    }
}

// SAFETY: it is only read.
unsafe impl Send for Mapped {}
// SAFETY: the same.
unsafe impl Sync for Mapped {}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: what was mapped, and nobody has a reference into it.
        unsafe { libc::munmap(self.at.cast(), self.pages * PAGE) };
    }
}

/// A file that is mapped, and not in memory.
pub(crate) struct OnDisk {
    memory: Mapped,
    path: PathBuf,
}

impl OnDisk {
    /// `None`, and a word about it, where files are in memory always.
    pub(crate) fn new(name: &str, pages: usize) -> Option<Self> {
        // Where the test was built: a system's folder for such files is often one in memory.
        let path = std::env::current_exe().unwrap().with_file_name(format!("{name}-{}.pages", std::process::id()));
        File::create(&path).unwrap().write_all(&vec![1; pages * PAGE]).unwrap();
        let file = File::open(&path).unwrap();
        file.sync_all().unwrap();
        // SAFETY: of a file that is open.
        assert_eq!(unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) }, 0);
        let memory = Mapped::new(pages, libc::MAP_PRIVATE, file.as_raw_fd());
        // One page at a time.
        // SAFETY: the mapping's own range.
        assert_eq!(unsafe { libc::madvise(memory.at.cast(), pages * PAGE, libc::MADV_RANDOM) }, 0);
        let mut is_in_memory = vec![0; pages];
        // SAFETY: a byte for each page of the mapping.
        assert_eq!(unsafe { libc::mincore(memory.at.cast(), pages * PAGE, is_in_memory.as_mut_ptr()) }, 0);
        let it = Self { memory, path };
        if is_in_memory.iter().all(|page| page & 1 == 1) {
            eprintln!("files beside the test are always in memory: no page comes from disk here");
            return None;
        }
        Some(it)
    }

    /// Reads pages, each another one, while `goes_on`; returns how many.
    pub(crate) fn read_while(&self, goes_on: impl Fn() -> bool) -> usize {
        // No two beside each other, which a disk reads together.
        let order = (0..self.memory.pages).map(|n| n * 4099 % self.memory.pages);
        order.take_while(|_| goes_on()).map(|page| usize::from(self.memory.touch(page))).sum()
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn pages_that_come_from_disk_are_counted_and_those_in_memory_are_not() {
    let Some(file) = OnDisk::new("counted", 64) else { return };
    let (tid, _) = stacks::this_thread();
    let before = (of_this_thread(), of_process());
    assert_eq!(file.read_while(|| true), 64);
    assert!(of_this_thread() > before.0 && of_process() > before.1, "{before:?}");
    // Of a machine that is short of memory, the test's own code may come from disk.
    assert!((0..10).any(|_| of_thread(tid) == of_this_thread()));
    let counts_none = || {
        let before = of_this_thread();
        file.read_while(|| true) == 64 && of_this_thread() == before
    };
    assert!((0..10).any(|_| counts_none()));
    assert_eq!(of_thread(i32::MAX), 0);
}

#[test]
fn the_name_of_a_thread_may_hold_anything() {
    assert_eq!(major_faults("7 (a) S 1 2 3) S 1 2 3 4 5 6 7 8 9 10"), Some(9));
    assert_eq!(major_faults("7 (a) S 1 2"), None);
    assert_eq!(major_faults(""), None);
}

/// Of `linux/userfaultfd.h`, which `libc` does not have.
mod userfault {
    pub(super) const USER_MODE_ONLY: libc::c_int = 1;
    pub(super) const API: libc::c_ulong = 0xc018_aa3f;
    pub(super) const REGISTER: libc::c_ulong = 0xc020_aa00;
    pub(super) const ZEROPAGE: libc::c_ulong = 0xc020_aa04;
    pub(super) const VERSION: u64 = 0xaa;
    pub(super) const MISSING: u64 = 1;
}

/// A page that does not come before it is given: the system's own way to have a page take long.
struct Withheld {
    memory: Mapped,
    faults: OwnedFd,
}

impl Withheld {
    fn new() -> io::Result<Self> {
        // SAFETY: it makes a file descriptor.
        let made = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | userfault::USER_MODE_ONLY) };
        let made = i32::try_from(made).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: that one, which nobody else has.
        let faults = unsafe { OwnedFd::from_raw_fd(made) };
        let memory = Mapped::new(1, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1);
        let it = Self { memory, faults };
        it.ask(userfault::API, &mut [userfault::VERSION, 0, 0])?;
        it.ask(userfault::REGISTER, &mut [it.memory.at as u64, PAGE as u64, userfault::MISSING, 0])?;
        Ok(it)
    }

    fn give(&self) {
        self.ask(userfault::ZEROPAGE, &mut [self.memory.at as u64, PAGE as u64, 0, 0]).unwrap();
    }

    fn ask<const N: usize>(&self, what: libc::c_ulong, with: &mut [u64; N]) -> io::Result<()> {
        // SAFETY: each of these takes a struct of that many words.
        match unsafe { libc::ioctl(self.faults.as_raw_fd(), what as _, with.as_mut_ptr()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[test]
fn who_waits_for_a_page_is_told_from_who_sleeps() {
    let page = match Withheld::new() {
        Ok(page) => page,
        Err(error) => {
            eprintln!("this system lets no page be withheld: {error}");
            return;
        }
    };
    let tid = AtomicI32::new(0);
    let until = |state: ThreadState| {
        let began = Instant::now();
        while tid.load(Relaxed) == 0 || thread_state(tid.load(Relaxed)) != state {
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", thread_state(tid.load(Relaxed)));
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let reads = scope.spawn(|| {
            tid.store(stacks::this_thread().0, Relaxed);
            assert_eq!(page.memory.touch(0), 0);
            thread::park();
        });
        until(ThreadState::Pages);
        page.give();
        until(ThreadState::Waits);
        reads.thread().unpark();
    });
}

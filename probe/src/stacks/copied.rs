//! A thread copies its own stack, to be unwound elsewhere.
use super::{
    raw::copy_stack,
    signal::{Copy, in_use},
};
use crate::recorder::thread;

/// Bytes of a stack that are copied at most; deeper callers are cut off.
const MAX_STACK: usize = 64 * 1024;

/// Registers and stack, as in [`Copy`].
pub(super) struct Copied {
    ip: u64,
    sp: u64,
    fp: u64,
    lr: u64,
    len: usize,
    stack: [u8; MAX_STACK],
}

impl Copied {
    #[allow(clippy::large_stack_arrays, reason = "in statics only")]
    pub(super) const NONE: Self = Self { ip: 0, sp: 0, fp: 0, lr: 0, len: 0, stack: [0; MAX_STACK] };

    /// Copies the stack of this thread; false where its bounds are not known, as of one that never polled.
    ///
    /// # Safety
    /// `into` is valid for writes, and nobody else reads or writes it meanwhile.
    #[inline(never)]
    pub(super) unsafe fn this_thread(into: *mut Self) -> bool {
        let (ip, sp, fp, lr);
        // SAFETY: reads registers and changes nothing.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            lr = 0;
            std::arch::asm!(
                "lea {ip}, [rip]", "mov {sp}, rsp", "mov {fp}, rbp",
                ip = out(reg) ip, sp = out(reg) sp, fp = out(reg) fp,
                options(nomem, nostack, preserves_flags),
            );
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!(
                "adr {ip}, .", "mov {sp}, sp", "mov {fp}, x29", "mov {lr}, x30",
                ip = out(reg) ip, sp = out(reg) sp, fp = out(reg) fp, lr = out(reg) lr,
                options(nomem, nostack, preserves_flags),
            );
        }
        let from = sp as usize;
        let Some(len) = in_use(from, thread::this_stack(), MAX_STACK) else { return false };
        // SAFETY: from the stack pointer up to the stack's end it is mapped and this thread's own; `into` is the caller's.
        unsafe {
            copy_stack(from, (&raw mut (*into).stack).cast::<u8>(), len);
            (*into).len = len;
            ((*into).ip, (*into).sp, (*into).fp, (*into).lr) = (ip, sp, fp, lr);
        }
        true
    }

    /// The same on the heap.
    pub(super) fn copy(&self) -> Copy {
        let stack = self.stack[..self.len].to_vec();
        Copy { ip: self.ip, sp: self.sp, fp: self.fp, lr: self.lr, stack, marked: None }
    }
}

//! Copies of memory as it is, whatever lies there.
use std::arch::asm;

/// Copies the `len` bytes at `from`, a stack's used part, to `to`.
///
/// Between a stack's variables there is padding that nobody wrote, and under `AddressSanitizer` there are bytes that nobody may
/// read. Rust knows no bytes that may be either, so they are copied by instructions that the compiler does not look into:
/// to it, `to` is written, and it need not know from where. It calls nothing, so a signal handler may use it.
///
/// # Safety
/// All of `from` is mapped and nobody writes to it meanwhile; `to` is the caller's alone. They do not overlap.
#[inline]
pub(super) unsafe fn copy_stack(from: usize, to: *mut u8, len: usize) {
    // SAFETY: the caller's: it reads `from` and writes `to`, and changes no more than the registers that are named.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") len => _, inout("rsi") from => _, inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "cbz {len}, 3f",
            "2:",
            "ldrb {byte:w}, [{from}], #1",
            "strb {byte:w}, [{to}], #1",
            "subs {len}, {len}, #1",
            "b.ne 2b",
            "3:",
            len = inout(reg) len => _, from = inout(reg) from => _, to = inout(reg) to => _, byte = out(reg) _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_as_many_bytes_as_it_is_told() {
        let from: Vec<u8> = (1..=200).collect();
        for len in [0, 1, 7, 8, 199, 200] {
            let mut to = vec![0; 200];
            // SAFETY: both are ours and have 200 bytes.
            unsafe { copy_stack(from.as_ptr() as usize, to.as_mut_ptr(), len) };
            assert_eq!(to[..len], from[..len]);
            assert_eq!(to[len..], vec![0; 200 - len]);
        }
    }
}

//! From the registers and a copied stack to the addresses of the calls.
use framehop::Unwinder as _;

use super::{modules::Modules, signal::Copy};

/// Calls looked at; the poll of a task is rarely this deep below the worker's loop.
const MAX_FRAMES: usize = 192;

/// Addresses of the calls, innermost first. A return address is given less one, so that it lies in the call.
pub(super) fn addresses(copy: &Copy, modules: &mut Modules) -> Vec<u64> {
    let mut addresses = Vec::new();
    modules.forget_unloaded();
    // The code of each frame has to be known before it can be unwound; a module that is met for the first time means
    // another try.
    for _ in 0..8 {
        addresses = unwind(copy, modules);
        let known_before = addresses.len();
        let learned = addresses.iter().filter(|&&address| modules.learn(address)).count();
        if learned == known_before && unwind(copy, modules).len() == known_before {
            break;
        }
    }
    addresses
}

fn unwind(copy: &Copy, modules: &Modules) -> Vec<u64> {
    #[cfg(target_arch = "x86_64")]
    let (registers, mut cache) = (
        framehop::x86_64::UnwindRegsX86_64::new(copy.ip, copy.sp, copy.fp),
        framehop::x86_64::CacheX86_64::<framehop::MayAllocateDuringUnwind>::new(),
    );
    #[cfg(target_arch = "aarch64")]
    let (registers, mut cache) = (
        framehop::aarch64::UnwindRegsAarch64::new(copy.lr, copy.sp, copy.fp),
        framehop::aarch64::CacheAarch64::<framehop::MayAllocateDuringUnwind>::new(),
    );
    let mut read = |address: u64| {
        let from = address.checked_sub(copy.sp).ok_or(())? as usize;
        let bytes = copy.stack.get(from..from + 8).ok_or(())?;
        Ok(u64::from_ne_bytes(bytes.try_into().map_err(|_| ())?))
    };
    let mut frames = modules.unwinder.iter_frames(copy.ip, registers, &mut cache, &mut read);
    let mut addresses = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        addresses.push(frame.address_for_lookup());
        if addresses.len() == MAX_FRAMES {
            break;
        }
    }
    addresses
}

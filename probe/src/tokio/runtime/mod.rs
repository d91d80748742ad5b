//! The runtime: tokio's [`runtime`](raw::runtime) module. Building a runtime here starts the probe when `ASYNC_INSPECT`
//! says so, and what is spawned or run through these handles is watched.
#[cfg(doc)]
use crate::tokio::raw;

mod builder;
mod handle;
mod hooks;
mod local_runtime;
#[expect(clippy::module_inception, reason = "named as in tokio")]
mod runtime;

pub use ::tokio::runtime::*;
pub use builder::Builder;
pub use handle::Handle;
pub use local_runtime::LocalRuntime;
pub use runtime::Runtime;

use std::future::Future;

use crate::{
    recorder::{handle::flag, poll::Tracked, running::Running, task::TaskKind},
    tokio::task::watch::{self, CallSite},
};

/// A future of `block_on`, watched as a root. What becomes of it, its caller sees.
fn root<F: Future>(future: F, site: CallSite) -> Tracked<F> {
    let task = watch::register::<F, F::Output, 1>(TaskKind::Root, site).map(|[task]| task);
    if let Some(slot) = task.as_ref().and_then(Running::slot) {
        slot.handle_held();
        slot.handle_did(flag::HANDLE_AWAITED | flag::RESULT_TAKEN);
        slot.set_root_id();
    }
    #[cfg(all(feature = "layer", tokio_unstable))]
    crate::recorder::foreign::running_root();
    Tracked::new(future, task)
}

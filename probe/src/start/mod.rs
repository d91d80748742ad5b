//! Starting the probe: by the environment, or in code.

mod thread;

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    path::PathBuf,
    sync::{Mutex, Once, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use async_inspect_proto::DEFAULT_ADDR;

pub use crate::service::BindError;
use crate::{
    recorder::{self, DEFAULT_LIMIT_BYTES},
    say::say,
    service::{Identity, Listen},
};

/// The environment variable that starts the probe with no code.
pub const ENVIRONMENT: &str = "ASYNC_INSPECT";

/// The environment variable that switches the stacks of blocked polls off.
pub(crate) const STACKS: &str = "ASYNC_INSPECT_STACKS";

/// The environment variable that says how many MiB of memory the probe may take for what it records.
pub(crate) const MEMORY: &str = "ASYNC_INSPECT_MEMORY";

/// The environment variable that keeps the probe from saying at its start where it listens.
const NOTICE: &str = "ASYNC_INSPECT_NOTICE";

/// Why the probe did not start. The app is none the worse for it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// It runs already, and listens there.
    #[error("the probe runs already and listens on {0}; start it once, in code or by {ENVIRONMENT}")]
    Running(String),
    /// The system gave it no thread.
    #[error("cannot start the probe's thread: {0}")]
    Thread(std::io::Error),
}

/// Starts the probe in code, which wins over `ASYNC_INSPECT` in the environment when it comes before the first runtime
/// is built and before anything of the drop-in's is used.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let probe = async_inspect_probe::Builder::new().listen("127.0.0.1:0")?.app("checkout").start()?;
/// println!("async-inspect connect {}", probe.target());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    listen: Listen,
    app: Option<String>,
    memory_limit: u64,
    stacks: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Listens on `127.0.0.1:6670`, with 64 MiB for what it records, or as many as `ASYNC_INSPECT_MEMORY` says.
    pub fn new() -> Self {
        Self {
            listen: Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], default_port()))),
            app: None,
            memory_limit: memory_limit().unwrap_or(DEFAULT_LIMIT_BYTES),
            stacks: switched_on(STACKS),
        }
    }

    /// Listens elsewhere: what `ASYNC_INSPECT` understands, `127.0.0.1:PORT` (0 for any free port), `unix:/path`, or
    /// `insecure:IP:PORT` for an address that other machines reach.
    ///
    /// # Errors
    /// When the address cannot be read, or can be reached from other machines and `insecure` is not said.
    pub fn listen(mut self, address: &str) -> Result<Self, BindError> {
        self.listen = address.parse()?;
        Ok(self)
    }

    /// Listens on a unix socket that only this user can open.
    #[must_use]
    pub fn listen_unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.listen = Listen::Unix(path.into());
        self
    }

    /// The name that inspectors show; by default the executable's.
    #[must_use]
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// Memory that the recorder may take, in bytes. At this ceiling new tasks, locks and channels are counted but not
    /// shown one by one, and inspectors say so. Holds for the life of the process once the probe started.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Whether the stack of a thread whose poll does not end is taken (on Linux; by default yes, unless
    /// `ASYNC_INSPECT_STACKS=off`). While an inspector is attached, such a thread is interrupted by `SIGURG` up to five
    /// times a poll, and without `--cfg tokio_unstable` up to thirty times a second where it works for long on tasks that
    /// only a library knows of; a handler that the app installed for it before is called for signals that are not the
    /// probe's.
    #[must_use]
    pub fn stacks(mut self, taken: bool) -> Self {
        self.stacks = taken;
        self
    }

    /// Starts recording, and listens on a thread of the probe's own.
    ///
    /// # Errors
    /// When the address is taken or cannot be bound, when the probe runs already, or when the system gives no thread;
    /// nothing is recorded then.
    pub fn start(self) -> Result<Probe, StartError> {
        // From here on the code has said what is to be.
        recorder::asked();
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(probe) = &*running {
            return Err(StartError::Running(probe.target.clone()));
        }
        let listener = self.listen.bind()?;
        let target = listener.target();
        // What records does so for good, so it begins when there is somebody to read it.
        let thread = thread::spawn(listener, identity(self.app), self.stacks).map_err(StartError::Thread)?;
        recorder::start(self.memory_limit);
        #[cfg(all(feature = "layer", tokio_unstable))]
        crate::layer::started();
        thread.go();
        let probe = Probe { target };
        *running = Some(probe.clone());
        Ok(probe)
    }
}

static RUNNING: Mutex<Option<Probe>> = Mutex::new(None);

/// A probe that runs, for as long as the process does.
#[derive(Debug, Clone)]
pub struct Probe {
    target: String,
}

impl Probe {
    /// What to give to `async-inspect connect`.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// Starts the probe if `ASYNC_INSPECT` says so. The drop-in does that when a runtime is built, so that nothing of it is
/// missed, and in a program whose runtime is another's when the first task, lock or channel of the drop-in's is used. A program
/// where everything is tokio's own calls it before it builds its runtime. Only the first call does anything. Where it listens
/// is said in a line on stderr, unless `ASYNC_INSPECT_NOTICE=off`; so is what goes wrong: the app runs on.
pub fn from_environment() {
    static ONCE: Once = Once::new();
    // A runtime that is built by a destructor while its thread unwinds: nothing here may panic then, as `take_hook` would.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        recorder::asked();
        let Some(value) = std::env::var_os(ENVIRONMENT) else { return };
        let value = value.to_string_lossy();
        if value.trim().is_empty() || switch(&value) == Some(false) {
            return;
        }
        let started = Builder::new().listen(&value).map_err(StartError::from).and_then(Builder::start);
        match started {
            Ok(probe) => {
                if switched_on(NOTICE) {
                    let target = probe.target().trim_start_matches("http://");
                    let pid = std::process::id();
                    say(&format!("listening on {target} (pid {pid}), attach with: async-inspect connect {target}"));
                }
            }
            // The code was first, and wins.
            Err(StartError::Running(_)) => {}
            Err(error) => say(&format!("{error}. The app runs on, unwatched.")),
        }
    });
}

/// What an operator means by a word.
fn switch(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "on" | "1" | "true" | "yes" => Some(true),
        "off" | "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// Whether the environment leaves on what is on by default.
fn switched_on(variable: &str) -> bool {
    let value = std::env::var_os(variable).unwrap_or_default();
    let value = value.to_string_lossy();
    switch(&value).unwrap_or_else(|| {
        if !value.trim().is_empty() {
            say(&format!("{variable}={value:?} is not understood: `on` or `off`. It counts as `on`."));
        }
        true
    })
}

/// What the environment says, in bytes.
fn memory_limit() -> Option<u64> {
    let value = std::env::var_os(MEMORY)?;
    let value = value.to_string_lossy();
    let bytes = value.trim().parse::<u64>().ok().and_then(|mib| mib.checked_mul(1024 * 1024));
    if bytes.is_none() && !value.trim().is_empty() {
        let default = DEFAULT_LIMIT_BYTES >> 20;
        say(&format!("{MEMORY}={value:?} is not understood: a number of MiB, as in 16. It counts as {default}."));
    }
    bytes
}

fn default_port() -> u16 {
    DEFAULT_ADDR.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(6670)
}

fn identity(app: Option<String>) -> Identity {
    let executable = || {
        let path = std::env::current_exe().ok()?;
        Some(path.file_name()?.to_string_lossy().into_owned())
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // `RandomState` is seeded by the system's randomness.
    let instance_id = RandomState::new().hash_one((std::process::id(), since_1970.as_nanos()));
    Identity {
        instance_id: instance_id.max(1),
        app: app.or_else(executable).unwrap_or_else(|| "unnamed".to_owned()),
        started_unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::switch;

    #[test]
    fn a_switch_understands_the_usual_words_and_no_others() {
        for on in ["on", "1", "true", "YES", " on "] {
            assert_eq!(switch(on), Some(true), "{on}");
        }
        for off in ["off", "0", "false", "No", "OFF"] {
            assert_eq!(switch(off), Some(false), "{off}");
        }
        for neither in ["", "2", "offf", "127.0.0.1:6670", "unix:/off"] {
            assert_eq!(switch(neither), None, "{neither}");
        }
    }
}

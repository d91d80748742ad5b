//! Programs whose runtime is another's: with the first thing of the drop-in's that they use, the environment is asked.
use std::{
    env,
    panic::catch_unwind,
    pin::pin,
    process::{Command, Stdio},
    task::{Context, Waker},
    thread,
    time::Duration,
};

use async_inspect_probe::{ENVIRONMENT, tokio};
use tokio::{
    raw::runtime::Runtime,
    sync::{Mutex, mpsc},
};

/// Which program the test's own process is, when the test has started it.
const PROGRAM: &str = "ASYNC_INSPECT_TEST_PROGRAM";

/// Each with whether any of what it uses is wrapped.
const PROGRAMS: [(&str, bool, fn()); 4] = [
    ("a channel", cfg!(feature = "watch-channels"), || {
        drop(Runtime::new().unwrap().block_on(async { mpsc::channel::<u8>(1) }));
    }),
    ("a task", cfg!(feature = "watch-tasks"), || {
        Runtime::new().unwrap().block_on(async { tokio::spawn(async {}).await.unwrap() });
    }),
    ("a lock on a foreign executor", cfg!(feature = "watch-locks"), || {
        let mutex = Mutex::new(1);
        assert!(pin!(mutex.lock()).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }),
    (
        "a channel of one that unwinds, then another",
        cfg!(any(feature = "watch-channels", feature = "watch-tasks")),
        || {
            struct Unwinds;
            impl Drop for Unwinds {
                fn drop(&mut self) {
                    drop(mpsc::channel::<u8>(1));
                }
            }
            let unwound = catch_unwind(|| {
                let _unwinds = Unwinds;
                panic!("it unwinds");
            });
            assert!(unwound.is_err());
            drop(mpsc::channel::<u8>(1));
            // And a runtime of the drop-in's after all.
            tokio::runtime::Runtime::new().unwrap().block_on(async {});
        },
    ),
];

#[test]
fn a_program_on_anothers_runtime_is_watched_when_the_environment_says_so() {
    if let Ok(program) = env::var(PROGRAM) {
        let (.., run) = PROGRAMS.iter().find(|(name, ..)| *name == program).unwrap();
        run();
        // The probe says where it listens on a thread of its own, which the end of the process does not wait for.
        return thread::sleep(Duration::from_millis(500));
    }
    let start = |program: &str, says| {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "runtimes::a_program_on_anothers_runtime_is_watched_when_the_environment_says_so"]);
        again.arg("--nocapture").env(PROGRAM, program).env(ENVIRONMENT, says);
        again.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let cases = PROGRAMS.map(|(program, wrapped, _)| {
        [("127.0.0.1:0", usize::from(wrapped)), ("off", 0)].map(|(says, listens)| (program, says, listens))
    });
    let started: Vec<_> = cases.into_iter().flatten().map(|case| (case, start(case.0, case.1))).collect();
    for ((program, says, listens), child) in started {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}");
        assert_eq!(said.matches("async-inspect: listening").count(), listens, "{program}, {says}: {said}");
    }
}

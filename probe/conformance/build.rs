//! Makes the tests of tokio, tokio-util and tokio-stream, as they come with those packages, modules of this package's tests.
use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The test that another package includes.
const TRACING: &str = "tracing";

/// A test that includes some files.
struct Tests {
    name: &'static str,
    of: &'static [(&'static str, &'static [&'static str])],
}

const TESTS: [Tests; 4] = [
    Tests {
        name: "behaviour",
        of: &[
            (
                "tokio",
                &[
                    "async_send_sync",
                    "coop_budget",
                    "join_handle_panic",
                    "macros_join",
                    "macros_pin",
                    "macros_rename_test",
                    "macros_select",
                    "macros_test",
                    "macros_try_join",
                    "no_rt",
                    "rt_basic",
                    "rt_busy_tick",
                    "rt_common",
                    "rt_common_before_park",
                    "rt_handle",
                    "rt_handle_block_on",
                    "rt_local",
                    "rt_metrics",
                    "rt_shutdown_err",
                    "rt_spawn_blocking",
                    "rt_threaded",
                    "rt_time_start_paused",
                    "rt_worker_index",
                    "sync_barrier",
                    "sync_broadcast",
                    "sync_broadcast_weak",
                    "sync_errors",
                    "sync_mpsc",
                    "sync_mpsc_weak",
                    "sync_mutex",
                    "sync_mutex_owned",
                    "sync_notify",
                    "sync_notify_owned",
                    "sync_once_cell",
                    "sync_oneshot",
                    "sync_rwlock",
                    "sync_semaphore",
                    "sync_semaphore_owned",
                    "sync_set_once",
                    "sync_watch",
                    "task_abort",
                    "task_blocking",
                    "task_join_set",
                    "task_local",
                    "task_local_set",
                    "task_yield_now",
                    "test_clock",
                    "time_interval",
                    "time_pause",
                    "time_rt",
                    "time_sleep",
                    "time_timeout",
                    "unwindsafe",
                ],
            ),
            (
                "tokio-util",
                &[
                    "abort_on_drop",
                    "context",
                    "future",
                    "io_sync_bridge",
                    "mpsc",
                    "poll_semaphore",
                    "reusable_box",
                    "spawn_pinned",
                    "sync_cancellation_token",
                    "task_join_map",
                    "task_join_queue",
                    "task_tracker",
                    "time_delay_queue",
                ],
            ),
            (
                "tokio-stream",
                &[
                    "async_send_sync",
                    "chunks_timeout",
                    "join_set_stream",
                    "mpsc_bounded_stream",
                    "mpsc_unbounded_stream",
                    "stream_timeout",
                    "time_throttle",
                    "watch",
                ],
            ),
        ],
    },
    // What there is under `--cfg tokio_unstable` only, or has more to it.
    Tests {
        name: "unstable",
        of: &[(
            "tokio",
            &["rt_common", "rt_poll_callbacks", "rt_unstable_metrics", "task_hooks", "task_join_set", "task_local_set"],
        )],
    },
    // What asks for tokio's feature `tracing` too, which would slow down all that is built with this package: the package of
    // `inspector/zoo/layer`, which has it anyway, includes it, and builds this file for it.
    Tests { name: TRACING, of: &[("tokio", &["task_builder"])] },
    // They set the process's panic hook, and so do not stand tests beside them that panic.
    Tests {
        name: "panics",
        of: &[
            ("tokio", &["rt_panic", "sync_panic", "task_id", "task_panic", "time_panic"]),
            ("tokio-util", &["panic"]),
            ("tokio-stream", &["stream_panic"]),
        ],
    },
];

/// Tests that are left out, and why.
const IGNORED: [(&str, &str); 6] = [
    ("many_multishot_futures", "takes ten seconds, of the scheduler"),
    ("struct_size_1", "a branch of the drop-in's select! also says whether it was dropped"),
    ("struct_size_2", "a branch of the drop-in's select! also says whether it was dropped"),
    ("struct_size_3", "a branch of the drop-in's select! also says whether it was dropped"),
    ("io_driver_fd_count", "connects to a host of the internet"),
    ("io_driver_ready_count", "connects to a host of the internet"),
];

fn main() {
    for file in ["Cargo.toml", "Cargo.lock", "../../Cargo.lock"] {
        if Path::new(file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    let for_another = env!("CARGO_PKG_NAME") != "async-inspect-conformance";
    for tests in TESTS.iter().filter(|tests| (tests.name == TRACING) == for_another) {
        let mut modules = String::new();
        for (package, files) in tests.of {
            let (from, to) = (source(package), out.join(tests.name).join(package));
            fs::create_dir_all(&to).expect("a folder of our own");
            let _ = writeln!(modules, "mod of_{} {{", package.replace('-', "_"));
            let texts = files.iter().map(|file| {
                let text = fs::read_to_string(from.join(file).with_extension("rs"));
                (file, adapted(tests.name, &text.expect("the package has its tests")))
            });
            let texts: Vec<_> = texts.collect();
            // One for all, since it has the lock of those who set the panic hook.
            if *package == "tokio" && tests.name != TRACING {
                modules.push_str("pub(crate) mod support {\n");
                for support in ["mpsc_stream", "panic"] {
                    let path = from.join("support").join(support).with_extension("rs");
                    let _ = writeln!(modules, "#[path = {path:?}]\npub(crate) mod {support};");
                }
                modules.push_str("}\n");
            }
            for (file, text) in texts {
                let path = to.join(file).with_extension("rs");
                fs::write(&path, text).expect("a file of our own");
                let _ = writeln!(modules, "#[path = {path:?}]\nmod {file};");
            }
            modules.push_str("}\n");
        }
        fs::write(out.join(tests.name).with_extension("rs"), modules).expect("a file of our own");
    }
}

/// As a module beside others, with what is left out ignored.
fn adapted(tests: &str, text: &str) -> String {
    if tests == TRACING {
        // Whose tokio is tokio itself.
        return text.replacen("feature = \"tracing\"))]", "tokio_unstable))]\nuse async_inspect_probe::tokio;", 1);
    }
    let text = text.replace("crate::time::", "tokio::time::");
    // Crates that are built with this one have other types that a number may be equal to.
    let text = text.replace("assert_eq!(items, vec![]);", "assert!(items.is_empty());");
    let mut text = text.replace("let n = (0..", "let n: u64 = (0..");
    if let Some(from) = text.find("mod support {") {
        let to = from + text[from..].find("\n}").expect("the module ends") + 2;
        text.replace_range(from..to, "use crate::of_tokio::support;");
    }
    // Each of the packages has this one, with a lock of its own for what there is once in a process: the panic hook.
    if let Some(from) = text.find("\nfn test_panic<") {
        let to = from + text[from..].find("\n}").expect("the function ends") + 2;
        text.replace_range(from..to, "\nuse crate::of_tokio::support::panic::test_panic;");
    }
    for (test, why) in IGNORED {
        for function in [format!("async fn {test}()"), format!("fn {test}()")] {
            if let Some(at) = text.find(&function) {
                text.insert_str(at, &format!("#[ignore = {why:?}] "));
                break;
            }
        }
    }
    text
}

/// Where a package's tests are.
fn source(package: &str) -> PathBuf {
    let host = env::var("HOST").expect("cargo says for whom");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    // Of other platforms not everything need be here.
    let metadata = Command::new(env::var_os("CARGO").expect("cargo says where it is"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &host, "--manifest-path"])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "cargo metadata: {}: {said}", metadata.status);
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("cargo's own JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let found = packages.iter().find(|found| found["name"] == package && found["source"].is_string());
    let manifest = found.and_then(|found| found["manifest_path"].as_str()).expect("the package is a dependency");
    Path::new(manifest).with_file_name("tests")
}

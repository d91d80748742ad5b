//! What the probe adds to a service's build: `cargo bench -p async-inspect-probe --bench build`.
//!
//! Builds a small axum service from nothing, with tokio and with the drop-in in its place, and counts.
#![allow(clippy::unwrap_used, reason = "a benchmark, like a test, has nobody to hand an error to")]
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

const SERVICE: &str = r#"
use axum::{Router, routing::get};

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Router::new().route("/", get(async || tokio::spawn(async { "hello" }).await.unwrap()));
    axum::serve(listener, service).await.unwrap();
}
"#;

/// What came of one build.
struct Built {
    seconds: f64,
    /// Of all of its processes.
    cpu_seconds: f64,
    crates: BTreeSet<String>,
    bytes: u64,
    stripped_bytes: u64,
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    // Only `cargo bench` says `--bench`; test runners build and run this too, or ask what is in it.
    if !args.iter().any(|arg| arg == "--bench") || args.iter().any(|arg| arg == "--test" || arg == "--list") {
        eprintln!("a benchmark, nothing to test: run `cargo bench -p async-inspect-probe --bench build`");
        return;
    }
    let probe = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bare = build("bare", "tokio = { version = \"1.54\", features = [\"full\"] }");
    let drop_in = format!(
        "tokio = {{ package = \"async-inspect-tokio\", path = {:?}, features = [\"full\"] }}",
        probe.join("tokio").display().to_string()
    );
    let ours = build("ours", &drop_in);
    println!("\n{:24} {:>10} {:>10} {:>10}", "clean release build", "bare", "drop-in", "more");
    let row = |name: &str, of: fn(&Built) -> f64, decimals: usize| {
        let (bare, ours) = (of(&bare), of(&ours));
        println!("{name:24} {bare:>10.decimals$} {ours:>10.decimals$} {:>10.decimals$}", ours - bare);
    };
    row("seconds", |built| built.seconds, 1);
    row("CPU seconds", |built| built.cpu_seconds, 1);
    row("crates", |built| built.crates.len() as f64, 0);
    row("binary, MiB", |built| mib(built.bytes), 2);
    row("binary stripped, MiB", |built| mib(built.stripped_bytes), 2);
    let more: Vec<&str> = ours.crates.difference(&bare.crates).map(String::as_str).collect();
    println!("\ncrates more: {}", more.join(", "));
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// Builds the service with that dependency on tokio, in a folder of its own that is empty before and gone after.
fn build(name: &str, tokio: &str) -> Built {
    // …/target/release/deps/build-0123456789abcdef
    let exe = env::current_exe().unwrap();
    let folder: PathBuf = exe.ancestors().nth(3).unwrap().join("bench-build").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), SERVICE).unwrap();
    let manifest = format!(
        "[package]\nname = \"service\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         axum = {{ version = \"0.8\", default-features = false, features = [\"http1\", \"tokio\"] }}\n{tokio}\n\n\
         [workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // The versions that this workspace builds with.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = || {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&folder).env_remove("CARGO_TARGET_DIR").env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    };
    assert!(cargo().arg("fetch").stdout(Stdio::null()).status().unwrap().success());
    let (began, before) = (Instant::now(), children_cpu());
    let output = cargo().args(["build", "--release"]).output().unwrap();
    let (seconds, cpu_seconds) = (began.elapsed().as_secs_f64(), children_cpu() - before);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let compiled = said.lines().filter_map(|line| line.trim().strip_prefix("Compiling "));
    let crates = compiled.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    let binary = folder.join("target/release/service");
    let bytes = fs::metadata(&binary).unwrap().len();
    let stripped = folder.join("stripped");
    let stripped_bytes = match Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status() {
        Ok(status) if status.success() => fs::metadata(&stripped).unwrap().len(),
        _ => bytes,
    };
    fs::remove_dir_all(&folder).unwrap();
    Built { seconds, cpu_seconds, crates, bytes, stripped_bytes }
}

/// CPU time of the children that ended, in seconds; 0 where the system does not say.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some((_, fields)) = stat.rsplit_once(')') else { return 0.0 };
    // cutime and cstime are the fields 16 and 17 of all, of which two came before the bracket; in hundredths.
    fields.split_whitespace().skip(13).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

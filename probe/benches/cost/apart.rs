//! Programs that are built apart, since they need other flags than the rest.
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Builds the package `name` of `../NAME`, into a folder of its own in the target folder that this benchmark is in. An
/// error says why there is no such program.
pub(crate) fn build(name: &str) -> Result<PathBuf, String> {
    // …/target/release/deps/cost-0123456789abcdef
    let exe = env::current_exe().map_err(|error| error.to_string())?;
    let target = exe.ancestors().nth(3).ok_or("this benchmark is not in a target folder")?;
    let target = target.join(format!("bench-{name}"));
    // From this package, or a neighbour of it.
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/benches").join(name);
    eprintln!("building the program with {name} …");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", "--cfg tokio_unstable")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(target.join(format!("release/async-inspect-bench-{name}"))),
        Ok(status) => Err(format!("its program does not build ({status}; cargo says why above)")),
        Err(error) => Err(format!("cargo does not run: {error}")),
    }
}

//! The program with console-subscriber: built here, since it needs other flags than the rest.
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::options::Options;

/// Builds it into a folder of its own in the target folder. An error says why there is no such column.
pub(crate) fn build(options: &Options) -> Result<PathBuf, String> {
    if !options.console {
        return Err("left out by --no-console".to_owned());
    }
    // …/target/release/deps/cost-0123456789abcdef
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = exe.ancestors().nth(3).ok_or("this benchmark is not in a target folder")?.join("bench-console");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/console");
    eprintln!("building the program with console-subscriber …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
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
        Ok(status) if status.success() => Ok(target.join("release/async-inspect-bench-console")),
        Ok(status) => Err(format!("its program does not build ({status}; cargo says why above)")),
        Err(error) => Err(format!("cargo does not run: {error}")),
    }
}

/// Says why its column is empty, if it is.
pub(crate) fn say(built: Result<&PathBuf, &String>) {
    if let Err(why) = built {
        println!("console-subscriber was not measured: {why}.");
    }
}

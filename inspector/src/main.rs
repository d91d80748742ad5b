//! The `async-inspect` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    async_inspect_cli::cli::main()
}

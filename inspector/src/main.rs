//! The `async-inspect` command.

fn main() {}

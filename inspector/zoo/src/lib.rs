//! The zoo: small async programs with one fault each, their healthy twins, and a service whose faults can be switched
//! on and off while it runs.
//!
//! Everything here is plain tokio code. What makes it inspectable is one line in this crate's `Cargo.toml` (tokio comes
//! from `async-inspect-tokio`) and `ASYNC_INSPECT` in the environment; nothing in the sources knows of the probe.
//!
//! The line that is to blame carries a trailing `// <- fault: RULE`, so that a test can ask the source itself which
//! `file:line` a finding must name. Where that line is not the one to open, `// <- open: RULE` is at the one that is.

mod crowd;
mod leash;
mod loopback;
mod programs;
pub mod shop;
mod work;

use std::{fmt, io, pin::Pin};

pub use crowd::{Crowd, crowd};
pub use leash::LEASH;
pub use programs::PROGRAMS;

/// What a program runs; it ends only when it cannot go on.
pub type Body = fn() -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A program of the zoo.
#[derive(Clone, Copy)]
pub struct Program {
    /// What it is started by: the id of the rule that must fire, for one program of each.
    pub name: &'static str,
    /// The rule that the faulty version breaks; `None` for a program that has no faulty version.
    pub rule: Option<&'static str>,
    /// One sentence: what it does, and what is wrong with it.
    pub about: &'static str,
    /// Its source text.
    pub source: &'static str,
    /// Its source file, as `Location::file()` has it.
    pub file: &'static str,
    /// The version with the fault.
    pub faulty: Option<Body>,
    /// The version without.
    pub healthy: Body,
}

impl Program {
    /// The line in [`Program::file`] that a finding must name, counted from 1; 0 when there is none.
    pub fn fault_line(&self) -> u32 {
        self.rule.map_or(0, |rule| marked_line(self.source, "fault", rule))
    }

    /// The line that is to be opened, where it is another one; 0 when it is not.
    pub fn line_to_open(&self) -> u32 {
        self.rule.map_or(0, |rule| marked_line(self.source, "open", rule))
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

/// The line of `source` that ends in such a marker of `rule`, counted from 1; 0 when there is none.
pub(crate) fn marked_line(source: &str, marker: &str, rule: &str) -> u32 {
    let marker = format!("// <- {marker}: {rule}");
    source.lines().zip(1..).find(|(line, _)| line.ends_with(&marker)).map_or(0, |(_, number)| number)
}

/// There is no program of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProgram {
    /// The name that was asked for.
    pub name: String,
}

impl fmt::Display for UnknownProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        write!(
            f,
            "no program {:?} in the zoo; there are: shop, crowd:N, crowd:N/POLLED, crowd:N/POLLED/THINGS, {}",
            self.name,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownProgram {}

/// The program of that name.
pub fn find(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// Runs a program until the process is killed, on a runtime of its own with two workers.
///
/// `shop` and `shop:RULE,RULE` run the [`shop`] with its load generator and the faults named, `crowd:N`, `crowd:N/POLLED` and
/// `crowd:N/POLLED/THINGS` a [`crowd`]. With [`LEASH`] in the environment the process exits as soon as its standard input closes.
///
/// # Errors
/// When there is no program of that name.
///
/// # Panics
/// When the system gives no threads for a runtime.
pub fn run(name: &str, healthy: bool) -> Result<(), UnknownProgram> {
    let unknown = || UnknownProgram { name: name.to_owned() };
    let (workers, body) = if let Some(options) = shop::Options::of_program(name) {
        (shop::WORKERS, Box::pin(shop::serve(options)) as Pin<Box<dyn Future<Output = io::Result<()>> + Send>>)
    } else if let Some(asked) = Crowd::of_program(name) {
        (1, Box::pin(crowd(asked)) as _)
    } else {
        let program = find(name).ok_or_else(unknown)?;
        let body = program.faulty.filter(|_| !healthy).unwrap_or(program.healthy);
        (2, body())
    };
    leash::heed();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a runtime needs threads")
        .block_on(body);
    if let Err(error) = ended {
        eprintln!("{name}: {error}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_faulty_program_marks_exactly_one_line() {
        for program in PROGRAMS {
            let markers = program.source.lines().filter(|line| line.contains("// <- fault: ")).count();
            assert_eq!(markers, usize::from(program.rule.is_some()), "{}", program.name);
            assert_eq!(program.fault_line() > 0, program.rule.is_some(), "{}", program.name);
            assert_eq!(program.faulty.is_some(), program.rule.is_some(), "{}", program.name);
        }
    }

    #[test]
    fn files_are_named_as_the_compiler_names_them() {
        for program in PROGRAMS {
            assert!(program.file.starts_with("inspector/zoo/src/programs/"), "{}", program.file);
        }
    }

    #[test]
    fn names_are_unique_and_an_unknown_one_is_refused() {
        let mut names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROGRAMS.len());
        assert_eq!(run("long-pool", false), Err(UnknownProgram { name: "long-pool".to_owned() }));
        assert_eq!(run("shop:long-pool", false), Err(UnknownProgram { name: "shop:long-pool".to_owned() }));
    }
}

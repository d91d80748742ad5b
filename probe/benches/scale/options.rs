//! What can be said after `cargo bench -p async-inspect-probe --bench scale --`.

/// What to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Growth,
    Ceiling,
    Soak,
    Hold,
    Memory,
}

/// How much of it.
pub(crate) struct Options {
    pub(crate) job: Job,
    /// Live tasks, at most.
    pub(crate) tasks: usize,
    /// Of them, how many tick once a second; a tenth when not said.
    pub(crate) active: Option<usize>,
    /// Seconds that each row is watched.
    pub(crate) seconds: f64,
    pub(crate) minutes: f64,
}

const USAGE: &str = "\
usage: cargo bench -p async-inspect-probe --bench scale -- [JOB] [OPTION]...
  growth         what watching takes of 1k, 10k, 100k and 1M live tasks, a tenth of them active, of 10k that all
                 tick once a second, and of as many that are idle; and by 1, 4 and 16 subscribers (this one if nothing is said)
  ceiling        10M short tasks, 5M live ones, short ones again, then none, in 64 MiB: every one is counted
  soak           churn of everything for some minutes, with the memory over time, which must not grow
  memory         the bytes of each thing that is watched, more than tokio's own
  hold           the target of `growth` alone, until stdin ends, for other programs to attach to
  --tasks N      live tasks at most (1000000); divides the counts of `ceiling` and `memory` too
  --active N     of them, how many tick once a second (a tenth)
  --seconds S    for how long each row is watched (5)
  --minutes M    of the soak (3)";

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self { job: Job::Growth, tasks: 1_000_000, active: None, seconds: 5.0, minutes: 3.0 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || -> Result<f64, String> {
                args.next().and_then(|n| n.parse().ok()).ok_or_else(|| format!("a number is missing\n{USAGE}"))
            };
            match arg.as_str() {
                "--bench" => {}
                "growth" => options.job = Job::Growth,
                "ceiling" => options.job = Job::Ceiling,
                "soak" => options.job = Job::Soak,
                "hold" => options.job = Job::Hold,
                "memory" => options.job = Job::Memory,
                "--tasks" => options.tasks = number()? as usize,
                "--active" => options.active = Some(number()? as usize),
                "--seconds" => options.seconds = number()?,
                "--minutes" => options.minutes = number()?,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("no {other}\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

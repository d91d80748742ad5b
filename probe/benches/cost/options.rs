//! What can be said after `cargo bench -p async-inspect-probe --bench cost --`.

/// How much to measure.
pub(crate) struct Options {
    /// Parts of the names of the rows wanted; all when empty.
    rows: Vec<String>,
    /// Rounds of the operations.
    pub(crate) rounds: usize,
    /// Operations a process, in percent of what each row says.
    pub(crate) percent: usize,
    /// Rounds of the service, and seconds of load on each mode in a round.
    pub(crate) service_rounds: usize,
    pub(crate) service_seconds: f64,
    /// Seconds, in all, to wait for others to leave the CPU alone.
    pub(crate) patience: f64,
    /// What is built apart: console-subscriber, the layer, dial9.
    pub(crate) others: bool,
    pub(crate) instructions: bool,
}

const USAGE: &str = "\
usage: cargo bench -p async-inspect-probe --bench cost -- [ROW]... [OPTION]...
  ROW             only rows with this in their name: poll, spawn, mutex, mpsc, live, service, floor, \"2 workers\"
  --quick         fewer and shorter rounds, for a look
  --rounds N      rounds (5)
  --patience S    wait up to S seconds, in all, while others use the CPU (20)
  --no-others     without the layer, console-subscriber and dial9, which are built apart
  --instructions  instead: instructions an operation, counted by valgrind";

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self {
            rows: Vec::new(),
            rounds: 5,
            percent: 100,
            service_rounds: 5,
            service_seconds: 1.5,
            patience: 20.0,
            others: true,
            instructions: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--bench" => {}
                "--quick" => {
                    options.rounds = 3;
                    options.percent = 25;
                    options.service_rounds = 1;
                    options.service_seconds = 1.0;
                    options.patience = 0.0;
                }
                "--rounds" => {
                    options.rounds = number(args.next())?.max(1);
                    options.service_rounds = options.rounds;
                }
                "--patience" => options.patience = number(args.next())? as f64,
                "--no-others" => options.others = false,
                "--instructions" => options.instructions = true,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                flag if flag.starts_with('-') => return Err(format!("no option {flag}\n{USAGE}")),
                row => options.rows.push(row.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether nothing else is wanted.
    pub(crate) fn is_only(&self, row: &str) -> bool {
        self.rows == [row]
    }

    /// Whether a row of this name is wanted.
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|part| row.contains(part))
    }
}

fn number(arg: Option<&String>) -> Result<usize, String> {
    arg.and_then(|arg| arg.parse().ok()).ok_or_else(|| format!("a whole number is missing\n{USAGE}"))
}

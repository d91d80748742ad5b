//! What became of each program of the zoo, as a table, and in four figures.
use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use async_inspect_zoo::Program;

use crate::watched::{Attached, describe, is_in_line, serious};

/// A finding must be there this long after its program's start.
pub(crate) const ONSET: Duration = Duration::from_secs(5);

/// What was found in one program.
#[derive(Debug)]
pub(crate) struct Score {
    name: String,
    /// The rule that must be broken; `None` for a healthy program.
    rule: Option<&'static str>,
    /// When the rule was raised first, wherever.
    raised: Option<Duration>,
    /// When it was raised first at the marked line.
    at_line: Option<Duration>,
    /// The rule's findings elsewhere, in full.
    elsewhere: Vec<String>,
    /// Warnings and alarms of other rules, in full.
    extra: Vec<String>,
    /// What an operator who connects then does not read on the first screen, with that screen.
    unread: Option<String>,
    /// What else is wrong with the run.
    complaint: Option<&'static str>,
}

impl Score {
    pub(crate) fn of_faulty(program: &Program, attached: &Attached) -> Self {
        let rule = program.rule.expect("a faulty program has a rule");
        let own: Vec<_> = attached.seen.values().filter(|(_, finding)| finding.rule == rule).collect();
        let (right, wrong): (Vec<_>, Vec<_>) = own
            .iter()
            .copied()
            .partition(|(_, finding)| is_in_line(&finding.subject.location, program.file, program.fault_line()));
        Self {
            raised: own.iter().map(|(after, _)| *after).min(),
            at_line: right.iter().map(|(after, _)| *after).min(),
            elsewhere: wrong
                .iter()
                .map(|(after, finding)| format!("after {after:.1?}: {}", describe(finding)))
                .collect(),
            unread: unread(program, attached),
            ..Self::of_healthy(program.name, attached, rule)
        }
        .with_rule(rule)
    }

    /// `rule` is not looked at.
    pub(crate) fn of_healthy(name: &str, attached: &Attached, rule: &str) -> Self {
        let others = attached.seen.values().filter(|(_, finding)| finding.rule != rule && serious(finding));
        Self {
            name: name.to_owned(),
            rule: None,
            raised: None,
            at_line: None,
            elsewhere: Vec::new(),
            extra: others.map(|(after, finding)| format!("after {after:.1?}: {}", describe(finding))).collect(),
            unread: None,
            complaint: attached.watch.judged.model.tasks.is_empty().then_some("not one task was seen"),
        }
    }

    fn with_rule(self, rule: &'static str) -> Self {
        Self { rule: Some(rule), ..self }
    }

    fn in_time(&self) -> bool {
        self.at_line.is_some_and(|after| after <= ONSET)
    }

    fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.elsewhere.iter().chain(&self.extra).cloned().collect();
        complaints.extend(self.complaint.map(str::to_owned));
        complaints.extend(self.unread.clone());
        if self.rule.is_some() && !self.in_time() {
            complaints.push(match (self.raised, self.at_line) {
                (None, _) => "never seen".to_owned(),
                (_, None) => "never seen at the marked line".to_owned(),
                (_, Some(after)) => format!("seen only {after:.1?} after its start"),
            });
        }
        complaints.into_iter().map(|complaint| format!("{}: {complaint}", self.name)).collect()
    }
}

/// What of the program's fault is not on the first screen at the end: the line, the one to open, or how the advice begins.
fn unread(program: &Program, attached: &Attached) -> Option<String> {
    let rule = program.rule?;
    let file = program.file.rsplit('/').next().unwrap_or(program.file);
    let finding = attached.active_of(rule);
    let advice = finding.map_or("a finding that lasts", |finding| finding.advice.as_str());
    let begins: Vec<&str> = advice.split_whitespace().take(4).collect();
    let open = finding.map_or("", |finding| finding.line().0);
    let open = open.rsplit('/').next().unwrap_or(open).to_owned();
    let mut wanted = vec![format!("{file}:{}", program.fault_line()), open, begins.join(" ")];
    // Stacks are taken on Linux alone.
    if program.line_to_open() > 0 && attached.watch.judged.model.target.sees("stacks") {
        wanted.push(format!("{file}:{}", program.line_to_open()));
    }
    let screen = attached.overview();
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    // Line 5 is not in 52.
    let is_there = |text: &str| {
        words.match_indices(text).any(|(at, _)| !words[at + text.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let missing: Vec<&String> = wanted.iter().filter(|text| !is_there(text)).collect();
    (!missing.is_empty()).then(|| format!("{missing:?} is not on the first screen:\n{screen}"))
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Scores(pub(crate) Vec<Score>);

impl Scores {
    /// Everything that is not as it must be.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.0.iter().flat_map(Score::complaints).collect()
    }

    fn totals(&self) -> String {
        let faulty: Vec<&Score> = self.0.iter().filter(|score| score.rule.is_some()).collect();
        let found = faulty.iter().filter(|score| score.in_time()).count();
        let raised = faulty.iter().filter(|score| score.raised.is_some()).count();
        let located = faulty.iter().filter(|score| score.at_line.is_some() && score.elsewhere.is_empty()).count();
        let false_ones: usize = self.0.iter().map(|score| score.extra.len()).sum();
        let mut times: Vec<Duration> = faulty.iter().filter_map(|score| score.at_line).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let worst = times.last().copied().unwrap_or_default();
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        format!(
            "recall {found}/{} ({:.0} %) within {ONSET:?}, precision {raised}/{} ({:.0} %), location {located}/{raised} \
             ({:.0} %)\ntime to finding: median {median:.1?}, worst {worst:.1?}\n{false_ones} false warnings and alarms in \
             {} faulty programs and {} healthy ones\n",
            faulty.len(),
            percent(found, faulty.len()),
            raised + false_ones,
            percent(raised, raised + false_ones),
            percent(located, raised),
            faulty.len(),
            self.0.len() - faulty.len(),
        )
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(bool, &str, String)> = Vec::new();
        for score in &self.0 {
            let mut line = format!("{:<34}", score.name);
            let (raised, after, place) = match (score.rule, score.raised, score.at_line) {
                (None, ..) => ("-", String::new(), ""),
                (Some(_), None, _) => ("no", String::new(), ""),
                (Some(_), Some(after), None) => ("yes", format!("{:.1} s", after.as_secs_f64()), "wrong"),
                (Some(_), Some(_), Some(after)) => ("yes", format!("{:.1} s", after.as_secs_f64()), "right"),
            };
            let _ = write!(line, "{raised:<8}{after:<8}{place:<8}{}", score.extra.len() + score.elsewhere.len());
            lines.push((score.rule.is_none(), &score.name, line));
        }
        lines.sort();
        writeln!(f, "{:<34}{:<8}{:<8}{:<8}extra", "program", "raised", "after", "line")?;
        lines.iter().try_for_each(|(.., line)| writeln!(f, "{}", line.trim_end()))?;
        write!(f, "\n{}", self.totals())
    }
}

//! Findings that the operator does not want to hear of.

use crate::lints::Finding;
use crate::text::place::line;

/// One rule at one place. As text: `rule path:line`, or `rule` alone for all its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    rule: String,
    place: String,
}

impl Mute {
    fn of(finding: &Finding) -> Self {
        Self { rule: finding.rule.to_owned(), place: line(&finding.subject.location).to_owned() }
    }

    /// Whether it is about `finding`. A place may be the end of a path: `orders.rs:88`.
    pub(crate) fn matches(&self, finding: &Finding) -> bool {
        if self.rule != finding.rule {
            return false;
        }
        let line = line(&finding.subject.location);
        // Of a file alone, all its lines are meant.
        let file = line.rsplit_once(':').map_or(line, |(file, _)| file);
        let place = if self.place.ends_with(|last: char| last.is_ascii_digit()) { line } else { file };
        self.place.is_empty()
            || place.strip_suffix(&self.place).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }
}

impl std::str::FromStr for Mute {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rule, place) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        Ok(Self { rule: rule.to_owned(), place: line(place.trim()).to_owned() })
    }
}

impl std::fmt::Display for Mute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.rule, self.place)
    }
}

impl Mute {
    /// The rule that is muted.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mutes(Vec<Mute>);

impl Mutes {
    pub(crate) fn new(mutes: &[Mute]) -> Self {
        Self(mutes.to_vec())
    }

    pub(crate) fn matches(&self, finding: &Finding) -> bool {
        self.0.iter().any(|mute| mute.matches(finding))
    }

    /// Lets all be heard again.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Mutes `finding`, or lets it be heard again. Returns what was muted.
    pub(crate) fn toggle(&mut self, finding: &Finding) -> Option<Mute> {
        if self.matches(finding) {
            self.0.retain(|mute| !mute.matches(finding));
            return None;
        }
        let mute = Mute::of(finding);
        self.0.push(mute.clone());
        Some(mute)
    }
}

#[cfg(test)]
mod tests {
    use super::Mute;

    #[test]
    fn a_column_is_taken_and_says_nothing() {
        for (text, place) in [
            ("lock-hog src/a.rs:41:5", "src/a.rs:41"),
            ("lock-hog src/a.rs:41", "src/a.rs:41"),
            ("lock-hog  a.rs:41 ", "a.rs:41"),
            ("lock-hog task 7:x", "task 7:x"),
            ("lock-hog", ""),
        ] {
            assert_eq!(text.parse(), Ok(Mute { rule: "lock-hog".to_owned(), place: place.to_owned() }));
        }
    }
}

//! Which measures of a finding say something that its sentence does not.
use super::{Evidence, Finding, in_words};
use crate::text;

/// Counts up to this one mean something else as often as not.
const SMALL: u64 = 9;

impl Finding {
    /// Measures without those that the message, the place or [`Finding::who`] tell already, most telling first: for where
    /// all of these stand above them. A cycle that is drawn is told, too.
    pub(crate) fn news(&self) -> Vec<&Evidence> {
        let mut sentence = format!("{} {}", self.message, self.who().unwrap_or_default()).replace('`', "");
        let drawn = |evidence: &Evidence| evidence.name == "cycle" && self.cycle.len() > 1;
        let same_place = |evidence: &Evidence| evidence.text == self.line().0;
        // What is to be done names lines by their files' names; in which folder those are, the lines beside it tell.
        let file = |place: &str| place.split(':').next().unwrap_or_default().to_owned();
        let told_files = [file(self.line().0), file(&self.subject.location)];
        let in_fix = |evidence: &Evidence| {
            let place = text::place_name(&evidence.text);
            evidence.name.ends_with("location")
                && !place.is_empty()
                && told_files.contains(&file(&evidence.text))
                && position(&self.advice, &place).is_some()
        };
        let told = |evidence: &Evidence| drawn(evidence) || same_place(evidence) || in_fix(evidence);
        self.measures().filter(|e| !e.aside && !told(e) && !is_told(e, &mut sentence)).collect()
    }
}

/// Whether `told` has the value of a measure. What tells one measure does not tell the next of the same value as well.
fn is_told(evidence: &Evidence, told: &mut String) -> bool {
    let value = if evidence.name.ends_with("location") {
        text::place_name(&evidence.text)
    } else {
        evidence.text.replace('`', "")
    };
    let small = value.parse::<u64>().is_ok_and(|n| n <= SMALL);
    if value.is_empty() || small && !is_spoken_of(evidence, told) {
        return false;
    }
    let Some(at) = position(told, &value) else { return false };
    // A place and a name may be meant twice; a figure is not.
    if evidence.value.is_number() || evidence.value.is_null() {
        told.replace_range(at..at + value.len(), " ");
    }
    true
}

/// Whether any word for the measure stands there, in whatever form: `waiters` where tasks wait.
fn is_spoken_of(evidence: &Evidence, told: &str) -> bool {
    let (told, name) = (told.to_lowercase(), in_words(evidence.name).to_lowercase());
    let stems = name.split(' ').filter(|word| word.len() >= 4).filter_map(|word| word.get(..4).map(str::to_owned));
    stems.into_iter().any(|stem| told.contains(&stem))
}

/// Where `value` stands in `told` as a whole: `4` is not in `4.5 ms`, `14` or `4/s`, nor is it in `#4`.
fn position(told: &str, value: &str) -> Option<usize> {
    told.match_indices(value).map(|(at, _)| at).find(|at| {
        let (before, after) = (told[..*at].chars().next_back(), &told[at + value.len()..]);
        let mut next = after.chars();
        let next = (next.next(), next.next());
        let ends = match next {
            (Some('.'), Some(digit)) => !digit.is_ascii_digit(),
            (Some(c), _) => !c.is_alphanumeric() && !matches!(c, '/' | '_'),
            (None, _) => true,
        };
        ends && before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '#' | '_'))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lints::tests::*;

    #[test]
    fn what_the_sentence_tells_is_no_news() {
        let told = "Mutex Ledger: 46 tasks wait, 4 of 4 permits are held for 8.54 s, most at ledger.rs:54; 90 % wait";
        let news = |evidence: Evidence| !is_told(&evidence, &mut told.to_owned());
        assert!(!news(Evidence::count("waiters", 46)) && news(Evidence::count("waiters", 6)));
        assert!(!news(Evidence::span("held_for_ns", Duration::from_millis(8540))));
        assert!(!news(Evidence::share("contended_share", 0.9)));
        assert!(!news(Evidence::words("holder_location", "src/ledger.rs:54:9")));
        assert!(news(Evidence::words("holder_location", "src/ledger.rs:5:9")));
        assert!(!news(Evidence::count("permits_total", 4)) && news(Evidence::count("lags", 4)));
        assert!(news(Evidence::rate("acquires_per_s", 46.0)));
    }

    #[test]
    fn one_figure_tells_one_measure() {
        let mut told = "4 permits are taken".to_owned();
        assert!(is_told(&Evidence::count("permits_total", 4), &mut told));
        assert!(!is_told(&Evidence::count("permits_forgotten", 4), &mut told));
    }

    #[test]
    fn who_is_told_on_a_line_of_its_own() {
        let mut judged = Judged::new();
        let task = hogged_lock(&mut judged);
        judged.run(ms(3000));
        let finding = judged.only("lock-hog");
        let who = finding.who().expect("its holder is known").to_owned();
        assert!(who.starts_with(&format!("holder: {} place ", crate::text::task_id(task))), "{who}");
        let news: Vec<_> = finding.news().into_iter().map(|evidence| evidence.name).collect();
        assert!(!news.contains(&"holder_task") && !news.contains(&"waiters") && !news.contains(&"culprit"), "{news:?}");
    }
}

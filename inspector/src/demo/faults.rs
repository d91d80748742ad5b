//! Which faults a demo can show, and which program shows them.
use std::fmt::Write;

use async_inspect_zoo::{PROGRAMS, shop::FAULTS};
use thiserror::Error;

/// What goes wrong when nobody says what should: one of each kind, as an incident is, and both severities. Payments
/// block a worker, prices are locked while the supplier is asked, orders back up, the audit log grows, and parcel
/// updates get lost in panics that nobody sees.
const INCIDENT: &[&str] =
    &["blocked-worker", "lock-held-across-await", "channel-saturated", "channel-growing", "lost-panic"];

/// There is no fault of this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no fault {name:?}{}", nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default())]
pub struct UnknownFault {
    /// The name that was given.
    pub name: String,
    /// The one that is most like it, if any is.
    pub nearest: Option<&'static str>,
}

/// The name of the zoo's program that shows these faults.
pub(super) fn program(faults: &[String]) -> Result<String, UnknownFault> {
    let mut rules: Vec<&str> = Vec::new();
    let mut add = |rule: &'static str| {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    };
    if faults.is_empty() {
        INCIDENT.iter().for_each(|rule| add(rule));
    }
    for name in faults {
        match name.as_str() {
            "none" => {}
            "all" => FAULTS.iter().for_each(|fault| add(fault.rule)),
            name => add(known(name)?),
        }
    }
    Ok(match rules[..] {
        [] => "shop".to_owned(),
        [only] => only.to_owned(),
        _ => format!("shop:{}", rules.join(",")),
    })
}

fn known(name: &str) -> Result<&'static str, UnknownFault> {
    let rules = || PROGRAMS.iter().filter_map(|program| program.rule);
    rules().find(|rule| *rule == name).ok_or_else(|| {
        let likeness = |rule: &str| strsim::jaro_winkler(&name.to_lowercase(), rule);
        let nearest = rules().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|rule| likeness(rule) > 0.7);
        UnknownFault { name: name.chars().take(80).collect(), nearest }
    })
}

/// The table of `demo --list-faults`.
pub fn list_faults() -> String {
    let faulty: Vec<_> = PROGRAMS.iter().filter_map(|program| Some((program.rule?, program))).collect();
    let width = faulty.iter().map(|(rule, _)| rule.len()).max().unwrap_or(0);
    let mut table = String::new();
    for (rule, program) in faulty {
        let (about, file, line) = (program.about, program.file, program.fault_line());
        // Writing to a string does not fail.
        let _ = writeln!(table, "{rule:width$}  {about}\n{:width$}  {file}:{line}", "");
    }
    table.push_str(
        "\n--fault NAME runs that program. Several of them, or none, run a shop service under load: with the faults named,\n\
         or in the middle of an incident of five. `all` is every fault at once, `none` is the shop in good health.\n",
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_by(faults: &[&str]) -> Result<String, UnknownFault> {
        program(&faults.iter().map(|&fault| fault.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn one_fault_is_shown_by_its_program_and_several_by_the_shop() {
        assert_eq!(shown_by(&["long-poll"]).unwrap(), "long-poll");
        assert_eq!(shown_by(&["long-poll", "long-poll"]).unwrap(), "long-poll");
        assert_eq!(shown_by(&["long-poll", "lost-panic"]).unwrap(), "shop:long-poll,lost-panic");
        assert_eq!(shown_by(&["none"]).unwrap(), "shop");
        assert_eq!(shown_by(&["all"]).unwrap().split(',').count(), FAULTS.len());
    }

    #[test]
    fn without_a_fault_the_shop_is_in_the_middle_of_an_incident() {
        let program = shown_by(&[]).unwrap();
        assert!(program.starts_with("shop:"), "{program}");
        for rule in INCIDENT {
            assert!(async_inspect_zoo::shop::fault(rule).is_some(), "{rule}");
        }
    }

    #[test]
    fn the_shop_has_a_fault_for_each_faulty_program() {
        for program in PROGRAMS {
            assert!(program.rule.is_none_or(|rule| async_inspect_zoo::shop::fault(rule).is_some()), "{}", program.name);
        }
    }

    #[test]
    fn a_misspelt_fault_is_answered_with_the_nearest_name() {
        let nearest = |name| shown_by(&[name]).unwrap_err().nearest;
        assert_eq!(nearest("long-pool"), Some("long-poll"));
        assert_eq!(nearest("BLOCKED-WORKER"), Some("blocked-worker"));
        assert_eq!(nearest("lock-across-await"), Some("lock-held-across-await"));
        assert_eq!(nearest("channelgrowing"), Some("channel-growing"));
        assert_eq!(nearest("zzz"), None);
        assert_eq!(nearest(""), None);
        assert_eq!(nearest("healthy/axum"), None);
    }

    #[test]
    fn the_table_of_faults_names_every_fault_and_its_line() {
        let table = list_faults();
        for program in PROGRAMS.iter().filter(|program| program.rule.is_some()) {
            assert!(table.contains(&format!("{}:{}", program.file, program.fault_line())), "{}", program.name);
        }
    }
}

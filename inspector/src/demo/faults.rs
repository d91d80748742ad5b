//! Which faults a demo can show, and which program shows them.
use std::fmt::Write;

use async_inspect_zoo::{
    PROGRAMS,
    shop::{FAULTS, fault},
};
use thiserror::Error;

use crate::text;

/// What goes wrong when nobody says what should: one of each kind, as an incident is, and both severities. Payments
/// block a worker, prices are locked while the supplier is asked, orders back up, the audit log grows, and parcel
/// updates get lost in panics that nobody sees.
const INCIDENT: &[&str] =
    &["blocked-worker", "lock-held-across-await", "channel-saturated", "channel-growing", "lost-panic"];

/// Why faults cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// There is no fault of this name.
    #[error("{}", text::no_such("fault", _0, names()))]
    Unknown(
        /// The name that was given.
        String,
    ),
    /// A fault that only a program of its own has.
    #[error("the fault {name} is shown by a program of its own: it cannot be combined with others")]
    Alone {
        /// The fault.
        name: &'static str,
    },
}

/// The name of the zoo's program that shows these faults.
pub(super) fn program(faults: &[String]) -> Result<String, FaultError> {
    let mut rules: Vec<&str> = Vec::new();
    let mut add = |rule: &'static str| {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    };
    if faults.is_empty() {
        for rule in INCIDENT {
            add(rule);
        }
    }
    for name in faults {
        match name.as_str() {
            "none" => {}
            "all" => FAULTS.iter().for_each(|fault| add(fault.rule)),
            name => add(known(name)?),
        }
    }
    if let (2.., Some(name)) = (rules.len(), rules.iter().find(|rule| fault(rule).is_none())) {
        return Err(FaultError::Alone { name });
    }
    Ok(match rules[..] {
        [] => "shop".to_owned(),
        [only] => only.to_owned(),
        _ => format!("shop:{}", rules.join(",")),
    })
}

fn known(name: &str) -> Result<&'static str, FaultError> {
    names().find(|known| *known == name).ok_or_else(|| FaultError::Unknown(name.to_owned()))
}

fn names() -> impl Iterator<Item = &'static str> + Clone {
    PROGRAMS.iter().filter(|program| program.faulty.is_some()).map(|program| program.name)
}

/// The table of `demo --list-faults`.
pub fn list_faults() -> String {
    let faulty: Vec<_> = PROGRAMS.iter().filter(|program| program.faulty.is_some()).collect();
    let width = faulty.iter().map(|program| program.name.len()).max().unwrap_or(0);
    let mut table = String::new();
    for program in faulty {
        let name = program.name;
        let (about, file, line) = (program.about, program.file, program.fault_line());
        // Writing to a string does not fail.
        let _ = writeln!(table, "{name:width$}  {about}\n{:width$}  {file}:{line}", "");
    }
    table.push_str(
        "\n--fault NAME runs that program. Several of them, or none, run a shop service under load: with the faults named,\n\
         or in the middle of an incident of five. `all` is every fault that the shop has, `none` is the shop in good\n\
         health.\n",
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_by(faults: &[&str]) -> Result<String, FaultError> {
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
    fn a_fault_that_the_shop_does_not_have_is_shown_alone_or_refused() {
        assert_eq!(shown_by(&["deadlock"]).unwrap(), "deadlock");
        let refused = shown_by(&["long-poll", "deadlock"]).unwrap_err();
        assert_eq!(refused, FaultError::Alone { name: "deadlock" });
    }

    #[test]
    fn a_misspelt_fault_is_answered_with_the_nearest_name() {
        let said = |name| shown_by(&[name]).unwrap_err().to_string();
        for (name, meant) in [
            ("long-pool", "long-poll"),
            ("BLOCKED-WORKER", "blocked-worker"),
            ("lock-across-await", "lock-held-across-await"),
            ("channelgrowing", "channel-growing"),
        ] {
            assert_eq!(said(name), format!("no fault `{name}`; did you mean `{meant}`?"));
        }
        for name in ["zzz", "", "healthy/axum"] {
            // More than is read at a glance: what to do says where they are listed.
            assert_eq!(said(name), format!("no fault `{name}`"));
        }
    }

    #[test]
    fn the_table_of_faults_names_every_fault_and_its_line() {
        let table = list_faults();
        for program in PROGRAMS.iter().filter(|program| program.rule.is_some()) {
            assert!(table.contains(&format!("{}:{}", program.file, program.fault_line())), "{}", program.name);
        }
    }
}

//! Findings as `JUnit`'s XML, which build servers show beside their tests: a suite for each target, a case for each rule.
use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::{Watched, text};
use crate::lints::{RULES, Severity};

/// One document with a suite for each target. A rule that found something as bad as `limit` has failed.
pub(super) fn document(targets: &[Watched], limit: Severity) -> String {
    let mut document = Document::new("async-inspect");
    document.add_test_suites(targets.iter().map(|target| suite(target, limit)));
    // It is written to memory.
    document.to_string().unwrap_or_default()
}

fn suite(target: &Watched, limit: Severity) -> TestSuite {
    let mut suite = TestSuite::new(target.address.as_str());
    if let Some(report) = &target.report {
        suite.set_time(report.observed);
        suite.add_test_cases(RULES.iter().map(|rule| {
            if report.silenced.off.contains(&rule.id) {
                let mut status = TestCaseStatus::skipped();
                status.set_message("the rule is off");
                return TestCase::new(rule.id, status).set_classname("async-inspect").clone();
            }
            let found = || report.findings.iter().filter(|finding| finding.rule == rule.id);
            let mut all = String::new();
            for finding in found() {
                text::finding(&mut all, report.model, finding, &[]);
            }
            let worst = found().filter(|finding| finding.severity >= limit).max_by_key(|finding| finding.severity);
            let Some(worst) = worst else {
                let mut case = TestCase::new(rule.id, TestCaseStatus::success());
                if !all.is_empty() {
                    case.set_system_out(all);
                }
                return case.set_classname("async-inspect").clone();
            };
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let mut message = worst.message.clone();
            if !worst.line().0.is_empty() {
                // Writing to a string does not fail.
                let _ = write!(message, " ({})", worst.line().0);
            }
            status.set_type(worst.severity.to_string()).set_message(message).set_description(all);
            TestCase::new(rule.id, status).set_classname("async-inspect").clone()
        }));
    }
    if let Some(why) = &target.failure {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(why.as_str());
        suite.add_test_case(TestCase::new("watched to the end", status));
    }
    suite
}

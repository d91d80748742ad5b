//! The rules: what is wrong, judged from a [`Model`](crate::model::Model) alone.

mod finding;

pub use finding::{Confidence, Evidence, Finding, FindingKey, Severity, Subject, SubjectKind};

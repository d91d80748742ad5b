//! The inspector: attach, model, rules, dashboard, reports.

pub mod app;
pub mod lints;
pub mod model;
pub mod source;
pub mod text;
pub mod view;

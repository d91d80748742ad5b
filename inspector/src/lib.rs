//! The inspector: attach, model, rules, dashboard, reports.

pub mod app;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod decode;
pub mod demo;
pub mod lints;
pub mod model;
pub mod report;
pub mod source;
pub mod text;
pub mod view;
pub mod watch;

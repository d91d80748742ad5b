//! How the dashboard looks and judges, as the command line and the environment say.

use crate::lints::Settings;

/// Dark or light.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ThemeChoice {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// Unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Even if `NO_COLOR` is set.
    Always,
    /// Bold, dim and reverse only.
    Never,
}

/// What the operator asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Dark or light.
    pub theme: ThemeChoice,
    /// Colours or none.
    pub color: ColorChoice,
    /// Only ASCII in what the dashboard itself draws; names from the target stay as they are.
    pub ascii: bool,
    /// Thresholds and severities of the rules.
    pub settings: Settings,
}

impl Options {
    /// Whether colours are used, given the value of `NO_COLOR` (its presence counts unless it is empty).
    pub fn colored(&self, no_color: Option<&str>) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => no_color.is_none_or(str::is_empty),
        }
    }
}

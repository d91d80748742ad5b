//! How the dashboard looks and judges, as the config file, the command line and the environment say.

use super::Mute;
use super::keymap::{KeyError, Keys};
use crate::lints::Settings;

/// For which background, and for whose eyes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ThemeChoice {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// White on black and few strong colours, for bad screens and tired eyes.
    HighContrast,
    /// For dark backgrounds, without a pair that colour-blind eyes confuse.
    ColorBlind,
}

impl ThemeChoice {
    /// All of them, by the names that the command line and the config file use.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("color-blind", Self::ColorBlind),
    ];
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

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: bold, dim and reverse.
    None,
    /// The sixteen that the terminal's own palette names.
    Sixteen,
    /// The 256 of xterm.
    #[default]
    Indexed,
    /// All of them.
    True,
}

impl Depth {
    /// What a terminal can show by what its environment says; `TERM` and `COLORTERM` are all that a program is told.
    pub fn detect(term: Option<&str>, colorterm: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256") || term.contains("kitty") || term.contains("alacritty") {
            Self::Indexed
        } else if term == "dumb" {
            Self::None
        } else {
            Self::Sixteen
        }
    }
}

/// What the operator asked for.
#[derive(Clone)]
pub struct Options {
    /// Dark or light.
    pub theme: ThemeChoice,
    /// Colours or none.
    pub color: ColorChoice,
    /// Only ASCII in what the dashboard itself draws; names from the target stay as they are.
    pub ascii: bool,
    /// The mouse clicks and scrolls here, rather than selecting text for the terminal.
    pub mouse: bool,
    /// Thresholds and severities of the rules.
    pub settings: Settings,
    /// The file that settings are written into for good, as people write it; empty when there is no place for one.
    pub config_file: String,
    /// Findings not to speak of.
    pub mutes: Vec<Mute>,
    pub(crate) keys: Keys,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { theme, color, ascii, mouse, .. } = self;
        f.debug_struct("Options")
            .field("theme", theme)
            .field("color", color)
            .field("ascii", ascii)
            .field("mouse", mouse)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            color: ColorChoice::default(),
            ascii: false,
            mouse: true,
            settings: Settings::default(),
            config_file: String::new(),
            mutes: Vec::new(),
            keys: Keys::default(),
        }
    }
}

impl Options {
    /// Binds keys: actions by name, each with its keys.
    ///
    /// # Errors
    /// When an action or a key does not exist, or a key would be bound twice.
    pub fn bind<'a>(&mut self, keys: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<(), KeyError> {
        self.keys = Keys::with(keys)?;
        Ok(())
    }

    /// How many colours are used on a terminal of this environment. `NO_COLOR` counts when it is there and not empty.
    pub fn depth(&self, no_color: Option<&str>, term: Option<&str>, colorterm: Option<&str>) -> Depth {
        let detected = Depth::detect(term, colorterm);
        match self.color {
            ColorChoice::Always => detected.max(Depth::Sixteen),
            ColorChoice::Auto if no_color.is_none_or(str::is_empty) => detected,
            ColorChoice::Auto | ColorChoice::Never => Depth::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_no_color_which_wins_over_what_is_detected() {
        use ColorChoice::{Always, Auto, Never};
        let depth = |color, no_color, term, colorterm| {
            Options { color, ..Options::default() }.depth(no_color, Some(term), colorterm)
        };
        assert_eq!(depth(Auto, None, "xterm-256color", None), Depth::Indexed);
        assert_eq!(depth(Auto, Some(""), "xterm-256color", Some("truecolor")), Depth::True);
        assert_eq!(depth(Auto, Some("1"), "xterm-256color", Some("truecolor")), Depth::None);
        assert_eq!(depth(Always, Some("1"), "xterm", None), Depth::Sixteen);
        assert_eq!(depth(Always, None, "dumb", None), Depth::Sixteen);
        assert_eq!(depth(Never, None, "xterm-256color", Some("24bit")), Depth::None);
        assert_eq!(depth(Auto, None, "linux", None), Depth::Sixteen);
    }
}

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
    /// However few the terminal seems to have; on the command line even if `NO_COLOR` is set.
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
    /// Colours or none, as the config file says.
    pub color: ColorChoice,
    /// The same as the command line says, which `NO_COLOR` does not change.
    pub color_asked: Option<ColorChoice>,
    /// Only ASCII in what the dashboard itself draws; names from the target stay as they are. `None` where nobody said:
    /// then the locale tells.
    pub ascii: Option<bool>,
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
            color_asked: None,
            ascii: None,
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
        let unwanted = no_color.is_some_and(|value| !value.is_empty());
        match (self.color_asked, self.color) {
            (Some(ColorChoice::Always), _) => detected.max(Depth::Sixteen),
            (Some(ColorChoice::Never), _) => Depth::None,
            _ if unwanted => Depth::None,
            (None, ColorChoice::Always) => detected.max(Depth::Sixteen),
            (None, ColorChoice::Never) => Depth::None,
            (Some(ColorChoice::Auto), _) | (None, ColorChoice::Auto) => detected,
        }
    }

    /// Whether to draw with ASCII only, by the first of `LC_ALL`, `LC_CTYPE` and `LANG` that says anything, unless the
    /// operator did. Where none does, as in many containers, most terminals show more.
    pub fn ascii_in(&self, locale: [Option<&str>; 3]) -> bool {
        let names_utf8 = |locale: &str| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        let said = locale.into_iter().flatten().find(|value| !value.is_empty());
        self.ascii.unwrap_or_else(|| said.is_some_and(|locale| !names_utf8(locale)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_no_color_over_the_config_file_over_what_is_detected() {
        use ColorChoice::{Always, Auto, Never};
        let depth = |color_asked, no_color, color, term, colorterm| {
            Options { color, color_asked, ..Options::default() }.depth(no_color, Some(term), colorterm)
        };
        let (xterm, direct) = ("xterm-256color", Some("truecolor"));
        for color in [Auto, Always, Never] {
            assert_eq!(depth(Some(Always), Some("1"), color, "xterm", None), Depth::Sixteen);
            assert_eq!(depth(Some(Always), None, color, "dumb", None), Depth::Sixteen);
            assert_eq!(depth(Some(Never), None, color, xterm, direct), Depth::None);
            assert_eq!(depth(Some(Auto), None, color, xterm, direct), Depth::True);
            assert_eq!(depth(Some(Auto), Some("1"), color, xterm, direct), Depth::None);
            assert_eq!(depth(None, Some("1"), color, xterm, direct), Depth::None);
        }
        assert_eq!(depth(None, Some(""), Always, "dumb", None), Depth::Sixteen);
        assert_eq!(depth(None, None, Never, xterm, direct), Depth::None);
        assert_eq!(depth(None, None, Auto, xterm, None), Depth::Indexed);
        assert_eq!(depth(None, Some(""), Auto, xterm, direct), Depth::True);
        assert_eq!(depth(None, None, Auto, "linux", None), Depth::Sixteen);
    }

    #[test]
    fn a_locale_that_is_not_utf_8_is_drawn_in_ascii_unless_somebody_said() {
        let ascii = |ascii, locale| Options { ascii, ..Options::default() }.ascii_in(locale);
        assert!(ascii(None, [None, None, Some("C")]));
        assert!(ascii(None, [Some("POSIX"), Some("en_US.UTF-8"), Some("en_US.UTF-8")]));
        assert!(ascii(None, [Some(""), Some("de_DE.ISO-8859-1"), Some("C.UTF-8")]));
        assert!(!ascii(None, [None, Some("C.utf8"), Some("C")]));
        assert!(!ascii(None, [None, None, Some("en_US.UTF-8")]));
        assert!(!ascii(None, [None, Some(""), None]));
        assert!(!ascii(Some(false), [Some("C"), None, None]));
        assert!(ascii(Some(true), [Some("C.UTF-8"), None, None]));
    }
}

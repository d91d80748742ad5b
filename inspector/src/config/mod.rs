//! The operator's own settings, from a file: theme, keys, rules, what not to speak of.
//!
//! | file | what |
//! |---|---|
//! | `read` | from TOML; what is not understood is refused with its line |
//! | `write` | to TOML: the defaults with comments, or what is in force |
//! | `error` | what is wrong with a file, and where |

mod error;
mod read;
mod write;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

pub use error::ConfigError;
pub use write::{default_text, in_force};

use crate::app::{ColorChoice, Mute, Options, ThemeChoice};
use crate::lints::Settings;

/// Names the file where it is not where it belongs.
pub const VARIABLE: &str = "ASYNC_INSPECT_CONFIG";

/// What a config file says. What it does not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// For which background.
    pub theme: Option<ThemeChoice>,
    /// Whether to use colours.
    pub color: Option<ColorChoice>,
    /// Only ASCII.
    pub ascii: Option<bool>,
    /// The mouse clicks and scrolls in the dashboard.
    pub mouse: Option<bool>,
    /// Findings not to speak of.
    pub mutes: Vec<Mute>,
    /// Keys by action.
    pub keys: Vec<(String, Vec<String>)>,
    /// What is changed about the rules.
    pub settings: Settings,
    /// The same as it was written: rule, name, value.
    pub(crate) rules: Vec<(String, String, String)>,
}

impl Config {
    /// The operator's file, or nothing when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn load() -> Result<Self, ConfigError> {
        let Some(path) = path() else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|problem| ConfigError::content(&path, problem)),
            // A file that is asked for by name has to be there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked_for().is_none() => Ok(Self::default()),
            Err(error) => Err(ConfigError::file(&path, &error)),
        }
    }

    /// What the file asks of the dashboard, with the rules as `settings` has them.
    ///
    /// # Errors
    /// When keys cannot be bound so.
    pub fn options(&self, settings: Settings) -> Result<Options, ConfigError> {
        let mut options = Options {
            theme: self.theme.unwrap_or_default(),
            color: self.color.unwrap_or_default(),
            ascii: self.ascii,
            mouse: self.mouse.unwrap_or(true),
            settings,
            config_file: path().map_or_else(String::new, |path| shown(&path)),
            mutes: self.mutes.clone(),
            ..Options::default()
        };
        let keys = self.keys.iter().map(|(action, keys)| (action.as_str(), keys.as_slice()));
        options
            .bind(keys)
            .map_err(|error| ConfigError::keys(path().as_deref().unwrap_or(Path::new("keys")), &error))?;
        Ok(options)
    }
}

/// A path as people write it.
fn shown(path: &Path) -> String {
    let home = etcetera::home_dir().ok();
    match home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(inside) => Path::new("~").join(inside).display().to_string(),
        None => path.display().to_string(),
    }
}

fn asked_for() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Where the file is, or would be: `$ASYNC_INSPECT_CONFIG`, else `async-inspect/config.toml` where the system keeps
/// such files. `None` where it has no such place.
pub fn path() -> Option<PathBuf> {
    if let Some(path) = asked_for() {
        return Some(path);
    }
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("async-inspect").join("config.toml"))
}

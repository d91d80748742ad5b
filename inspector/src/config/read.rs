//! Config files are read strictly: a setting with a typing error in it would otherwise be one that does nothing.
use std::ops::Range;

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Config;
use super::error::Problem;
use crate::app::{KeyError, Options};
use crate::lints::{RULES, Severity};
use crate::text::no_such;

/// What stands at the top of a file.
const TOP: [&str; 7] = ["theme", "color", "ascii", "mouse", "mute", "keys", "rules"];
/// What every rule has beside its limits.
const OF_RULES: [&str; 2] = ["off", "severity"];

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

impl Config {
    /// Understands the text of a config file.
    ///
    /// # Errors
    /// With the first line that is not understood.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let reader = Reader { text };
        let table = DeTable::parse(text)
            .map_err(|error| reader.problem(error.span().unwrap_or(0..0), error.message().to_owned()))?;
        reader.top(table.get_ref())
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn problem(&self, span: Range<usize>, what: impl Into<String>) -> Problem {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Problem { line: before.bytes().filter(|&b| b == b'\n').count() + 1, what: what.into() }
    }

    fn unknown(&self, what: &str, key: &Key, known: &[&str]) -> Problem {
        self.problem(key.span(), no_such(what, key.get_ref(), known.iter().copied()))
    }

    fn top(&self, table: &DeTable) -> Result<Config, Problem> {
        let mut config = Config::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "theme" => config.theme = Some(self.choice(key, value)?),
                "color" => config.color = Some(self.choice(key, value)?),
                "ascii" => config.ascii = Some(self.flag(key, value)?),
                "mouse" => config.mouse = Some(self.flag(key, value)?),
                "mute" => {
                    for text in self.words(key, value)? {
                        let Ok(mute) = text.parse::<crate::app::Mute>();
                        if !RULES.iter().any(|rule| rule.id == mute.rule()) {
                            let what = no_such("rule", mute.rule(), RULES.iter().map(|rule| rule.id));
                            return Err(self.problem(value.span(), what));
                        }
                        config.mutes.push(mute);
                    }
                }
                "keys" => {
                    let table = self.table(key, value)?;
                    for (action, keys) in table {
                        config.keys.push((action.get_ref().to_string(), self.words(action, keys)?));
                        // Checked at once, so that the line is known.
                        let all = config.keys.iter().map(|(action, keys)| (action.as_str(), keys.as_slice()));
                        match Options::default().bind(all) {
                            // A later line may give the other of the two something else.
                            Ok(()) | Err(KeyError::Twice { .. }) => {}
                            Err(error) => return Err(self.problem(action.span(), error.to_string())),
                        }
                    }
                    let all = config.keys.iter().map(|(action, keys)| (action.as_str(), keys.as_slice()));
                    Options::default()
                        .bind(all)
                        .map_err(|error| self.problem(clash(key, table, &error), error.to_string()))?;
                }
                "rules" => {
                    for (rule, changes) in self.table(key, value)? {
                        self.rule(rule, changes, &mut config)?;
                    }
                }
                _ => return Err(self.unknown("setting", key, &TOP)),
            }
        }
        Ok(config)
    }

    fn rule(&self, name: &Key, changes: &Value, config: &mut Config) -> Result<(), Problem> {
        let Some(rule) = RULES.iter().find(|rule| rule.id == name.get_ref().as_ref()) else {
            let known: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
            return Err(self.unknown("rule", name, &known));
        };
        let known: Vec<_> = OF_RULES.into_iter().chain(rule.thresholds.iter().map(|t| t.name)).collect();
        for (key, value) in self.table(name, changes)? {
            let setting = key.get_ref().as_ref();
            if !known.contains(&setting) {
                return Err(self.unknown(&format!("setting of {}", rule.id), key, &known));
            }
            let text = match (setting, value.get_ref()) {
                ("off", _) => self.flag(key, value)?.to_string(),
                (_, DeValue::String(text)) => text.to_string(),
                (_, DeValue::Integer(n)) => n.as_str().to_owned(),
                (_, DeValue::Float(n)) => n.as_str().to_owned(),
                _ => return Err(self.problem(value.span(), format!("`{setting}` wants a text or a number"))),
            };
            let settings = &mut config.settings;
            let taken = match (setting, text.as_str()) {
                ("off", "true") => settings.switch_off(rule.id),
                ("off", _) => Ok(()),
                ("severity", "info") => settings.set_severity(rule.id, Severity::Info),
                ("severity", "warn") => settings.set_severity(rule.id, Severity::Warn),
                ("severity", "crit") => settings.set_severity(rule.id, Severity::Crit),
                ("severity", other) => {
                    let what = format!("`{other}` is no severity; there are info, warn, crit");
                    return Err(self.problem(value.span(), what));
                }
                (limit, text) => settings.set_limit(rule.id, limit, text),
            };
            taken.map_err(|error| self.problem(value.span(), error.to_string()))?;
            config.rules.push((rule.id.to_owned(), setting.to_owned(), text));
        }
        Ok(())
    }

    fn choice<T: ValueEnum>(&self, key: &Key, value: &Value) -> Result<T, Problem> {
        let known: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let known: Vec<&str> = known.iter().map(clap::builder::PossibleValue::get_name).collect();
        let name = key.get_ref();
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.problem(value.span(), format!("`{name}` wants one of {}", known.join(", "))));
        };
        T::from_str(text, false).map_err(|_| self.problem(value.span(), no_such(name, text, known.iter().copied())))
    }

    fn flag(&self, key: &Key, value: &Value) -> Result<bool, Problem> {
        match value.get_ref() {
            DeValue::Boolean(set) => Ok(*set),
            _ => Err(self.problem(value.span(), format!("`{}` wants true or false", key.get_ref()))),
        }
    }

    /// One text, or several.
    fn words(&self, key: &Key, value: &Value) -> Result<Vec<String>, Problem> {
        let wrong = |span| self.problem(span, format!("`{}` wants a text or a list of texts", key.get_ref()));
        match value.get_ref() {
            DeValue::String(text) => Ok(vec![text.to_string()]),
            DeValue::Array(all) => all
                .iter()
                .map(|one| match one.get_ref() {
                    DeValue::String(text) => Ok(text.to_string()),
                    _ => Err(wrong(one.span())),
                })
                .collect(),
            _ => Err(wrong(value.span())),
        }
    }

    fn table<'v, 't>(&self, key: &Key, value: &'v Value<'t>) -> Result<&'v DeTable<'t>, Problem> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.problem(value.span(), format!("`{}` wants settings of its own", key.get_ref()))),
        }
    }
}

/// Where the later of two actions got the key of the other; of the actions that have their own keys, no line tells.
fn clash(section: &Key, actions: &DeTable, error: &KeyError) -> Range<usize> {
    let KeyError::Twice { first, second, .. } = error else { return section.span() };
    let lines = [first, second].into_iter().filter_map(|name| actions.get_key_value(*name));
    lines.map(|(action, _)| action.span()).max_by_key(|span| span.start).unwrap_or_else(|| section.span())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ThemeChoice;

    #[test]
    fn everything_that_can_be_set_is_understood() {
        let config = Config::parse(
            "theme = \"high-contrast\"\nascii = true\nmute = [\"lost-panic src/mail.rs:17\", \"long-poll\"]\n\
             [keys]\nfilter = [\"Ctrl-s\", \"/\"]\nquit = \"Q\"\n\
             [rules.long-poll]\nonce = \"80ms\"\nseverity = \"info\"\n[rules.lost-panic]\noff = true\n",
        )
        .unwrap();
        assert_eq!((config.theme, config.ascii, config.mutes.len()), (Some(ThemeChoice::HighContrast), Some(true), 2));
        let mut settings = crate::lints::Settings::default();
        settings.set_limit("long-poll", "once", "80ms").unwrap();
        settings.set_severity("long-poll", Severity::Info).unwrap();
        settings.switch_off("lost-panic").unwrap();
        assert_eq!(config.settings, settings);
        assert!(config.options(settings).is_ok());
    }

    #[test]
    fn nonsense_is_refused_with_its_line_and_what_was_meant() {
        for (text, line, words) in [
            ("\ntheem = \"dark\"", 2, "no setting `theem`; did you mean `theme`?"),
            ("theme = \"drak\"", 1, "did you mean `dark`?"),
            ("theme = 3", 1, "wants one of dark, light"),
            ("ascii = \"yes\"", 1, "wants true or false"),
            ("[rules.long-pol]\nonce = \"1s\"", 1, "did you mean `long-poll`?"),
            ("[rules.long-poll]\n\nonec = \"1s\"", 3, "no setting of long-poll `onec`; did you mean `once`?"),
            ("[rules.long-poll]\nonce = \"soon\"", 2, "a duration such as"),
            ("[rules.long-poll]\nseverity = \"bad\"", 2, "no severity"),
            ("[rules]\nlong-poll = 3", 2, "settings of its own"),
            ("mute = [\"lost-pnic\"]", 1, "did you mean `lost-panic`?"),
            ("mute = 3", 1, "a text or a list"),
            ("[keys]\n\nfiltr = \"f\"", 3, "did you mean `filter`?"),
            ("[keys]\nfilter = \"Hyper-x\"", 2, "is not a key"),
            ("[keys]\nquit = \"?\"", 2, "bound to both"),
            ("theme = ", 1, ""),
            ("a = 1\na = 2", 2, ""),
        ] {
            let problem = Config::parse(text).unwrap_err();
            assert_eq!(problem.line, line, "{text}: {problem:?}");
            assert!(problem.what.contains(words), "{text}: {problem:?}");
        }
    }
}

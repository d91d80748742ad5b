//! Config files to begin with, and what is in force.
use std::fmt::Write;

use clap::ValueEnum;

use super::Config;
use crate::app::{ColorChoice, ThemeChoice, bindings};
use crate::lints::RULES;

/// Every setting at its default, each with what it means; all commented out, since a default that is written down is one
/// that no longer follows the program.
pub fn default_text() -> String {
    let mut out = String::from("# async-inspect. Take the # off a line to change what it says.\n\n");
    // Writing to a string does not fail.
    let _ = writeln!(out, "# {}", one_of(ThemeChoice::value_variants()));
    out.push_str("# theme = \"dark\"\n");
    let _ = writeln!(out, "# {}; auto heeds NO_COLOR", one_of(ColorChoice::value_variants()));
    out.push_str("# color = \"auto\"\n");
    out.push_str("# draw with ASCII only; without a word here, in locales that are not UTF-8\n# ascii = false\n");
    out.push_str(
        "# click and scroll in the dashboard; without it the terminal selects text with the mouse\n# mouse = true\n",
    );
    out.push_str("# findings not to speak of, and what they cause: a rule, or a rule and a file or a line (the end of its path will do)\n");
    out.push_str("# mute = [\"never-awaited-handle src/main.rs:41\"]\n");
    out.push_str("\n[keys]\n");
    for (name, keys, about) in bindings() {
        let keys: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
        let _ = writeln!(out, "# {about}\n# {name} = [{}]", keys.join(", "));
    }
    for rule in RULES {
        let _ = writeln!(
            out,
            "\n# {}\n[rules.{}]\n# off = false\n# severity = \"{}\"",
            rule.summary, rule.id, rule.severity
        );
        for limit in rule.thresholds {
            let _ = writeln!(out, "# {}\n# {} = \"{}\"", limit.about, limit.name, limit.default);
        }
    }
    out
}

/// Every setting as it is with `config`, as a config file.
pub fn in_force(config: &Config) -> String {
    let name = |value: Option<clap::builder::PossibleValue>| value.map_or_else(String::new, |v| quoted(v.get_name()));
    let mut out = String::new();
    let mut set = |key: &str, value: String, changed: bool| {
        let _ = writeln!(out, "{key} = {value}{}", note(changed));
    };
    set("theme", name(config.theme.unwrap_or_default().to_possible_value()), config.theme.is_some());
    set("color", name(config.color.unwrap_or_default().to_possible_value()), config.color.is_some());
    set("ascii", config.ascii.unwrap_or(false).to_string(), config.ascii.is_some());
    set("mouse", config.mouse.unwrap_or(true).to_string(), config.mouse.is_some());
    let mutes: Vec<_> = config.mutes.iter().map(|mute| quoted(mute.to_string().trim_end())).collect();
    set("mute", format!("[{}]", mutes.join(", ")), !mutes.is_empty());
    out.push_str("\n[keys]\n");
    for (action, keys, _) in bindings() {
        let bound = config.keys.iter().find(|(name, _)| name == action).map(|(_, keys)| keys);
        let list: Vec<_> = bound.unwrap_or(&keys).iter().map(|key| quoted(key)).collect();
        let _ = writeln!(out, "{action} = [{}]{}", list.join(", "), note(bound.is_some()));
    }
    for rule in RULES {
        let _ = writeln!(out, "\n[rules.{}]", rule.id);
        let said = |name: &str| config.rules.iter().rfind(|(id, setting, _)| id == rule.id && setting == name);
        let off = said("off").map(|(.., value)| value.as_str());
        let _ = writeln!(out, "off = {}{}", off.unwrap_or("false"), note(off.is_some()));
        let severity = ("severity", rule.severity.to_string());
        let limits = rule.thresholds.iter().map(|limit| (limit.name, limit.default.to_string()));
        for (name, default) in std::iter::once(severity).chain(limits) {
            let said = said(name).map(|(.., value)| value);
            let _ = writeln!(out, "{name} = {}{}", quoted(said.unwrap_or(&default)), note(said.is_some()));
        }
    }
    out
}

/// What tells a default from what the file says.
fn note(said: bool) -> &'static str {
    if said { "" } else { " # default" }
}

fn one_of<T: ValueEnum>(all: &[T]) -> String {
    let names: Vec<_> =
        all.iter().filter_map(ValueEnum::to_possible_value).map(|value| value.get_name().to_owned()).collect();
    names.join(", ")
}

/// As TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_changes_nothing_with_and_without_its_signs() {
        let text = default_text();
        assert!(Config::parse(&text).unwrap().options(crate::lints::Settings::default()).is_ok());
        // Every line that sets something is understood once its sign is taken off.
        let open: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => setting,
                _ => line,
            })
            .fold(String::new(), |out, line| out + line + "\n");
        let config = Config::parse(&open).unwrap();
        assert!(config.theme.is_some() && !config.keys.is_empty());
        assert!(RULES.iter().all(|rule| config.rules.iter().any(|(id, ..)| id == rule.id)));
    }

    #[test]
    fn what_is_in_force_reads_back_as_the_same() {
        let text = "theme = \"light\"\nmute = [\"long-poll a.rs:1\"]\n[keys]\nquit = [\"Q\", \"\\\"\"]\n\
                    [rules.long-poll]\nonce = \"80ms\"\noff = true\n";
        let config = Config::parse(text).unwrap();
        let again = Config::parse(&in_force(&config)).unwrap();
        assert_eq!((again.theme, &again.mutes), (config.theme, &config.mutes));
        let settings = |of: &Config| in_force(of).replace(" # default", "");
        assert_eq!(settings(&again), settings(&config));
        let said = in_force(&config);
        for line in ["quit = [\"Q\", '\"']", "once = \"80ms\"", "off = true", "filter = [\"/\"] # default"] {
            assert!(said.lines().any(|said| said == line), "{line}: {said}");
        }
        assert_eq!(said.lines().filter(|line| line.contains(" = ") && !line.ends_with(" # default")).count(), 5);
        for rule in RULES {
            assert!(said.contains(&format!("\n[rules.{}]\n", rule.id)), "{}", rule.id);
        }
    }
}

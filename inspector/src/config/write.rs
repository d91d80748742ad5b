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
    out.push_str("# draw with ASCII only\n# ascii = false\n");
    out.push_str(
        "# click and scroll in the dashboard; without it the terminal selects text with the mouse\n# mouse = true\n",
    );
    out.push_str("# findings not to speak of: a rule, or a rule and a place (the end of its path will do)\n");
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

/// What `config` changes, as a config file.
pub fn in_force(config: &Config) -> String {
    let name = |value: Option<clap::builder::PossibleValue>| value.map_or_else(String::new, |v| quoted(v.get_name()));
    let mut out = String::new();
    let mut set = |key: &str, value: String, changed: bool| {
        let note = if changed { "" } else { " # default" };
        let _ = writeln!(out, "{key} = {value}{note}");
    };
    set("theme", name(config.theme.unwrap_or_default().to_possible_value()), config.theme.is_some());
    set("color", name(config.color.unwrap_or_default().to_possible_value()), config.color.is_some());
    set("ascii", config.ascii.unwrap_or(false).to_string(), config.ascii.is_some());
    set("mouse", config.mouse.unwrap_or(true).to_string(), config.mouse.is_some());
    let mutes: Vec<_> = config.mutes.iter().map(|mute| quoted(mute.to_string().trim_end())).collect();
    set("mute", format!("[{}]", mutes.join(", ")), !mutes.is_empty());
    if !config.keys.is_empty() {
        out.push_str("\n[keys]\n");
    }
    for (action, keys) in &config.keys {
        let keys: Vec<_> = keys.iter().map(|key| quoted(key)).collect();
        let _ = writeln!(out, "{action} = [{}]", keys.join(", "));
    }
    let mut last = "";
    for (rule, setting, value) in &config.rules {
        if rule != last {
            let _ = writeln!(out, "\n[rules.{rule}]");
            last = rule;
        }
        let value = if setting == "off" { value.clone() } else { quoted(value) };
        let _ = writeln!(out, "{setting} = {value}");
    }
    out
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
        assert_eq!(again.rules, config.rules);
        assert_eq!((again.theme, &again.keys, &again.mutes), (config.theme, &config.keys, &config.mutes));
        assert!(in_force(&Config::default()).contains("theme = \"dark\" # default"));
    }
}

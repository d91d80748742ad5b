//! Finishing what is being typed after `/`.
use std::collections::BTreeSet;

use super::column::Kind;
use super::{Cx, Place};

/// Rows whose values are offered; the values of a million rows are those of the first few thousand.
const ROWS: usize = 5000;

/// `text` with its last word finished as far as it can be: a field, or a value of one. `None` when there is nothing to
/// add.
pub(crate) fn complete(cx: &Cx, place: &Place, text: &str) -> Option<String> {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let before = &text[..text.len() - word.len()];
    let (negated, word) = word.strip_prefix('!').map_or(("", word), |rest| ("!", rest));
    let finished = match word.find([':', '=']) {
        None => {
            let fields = fields(place, word);
            let common = common(fields.iter().map(|(id, _)| *id))?;
            match fields.as_slice() {
                [(id, sign)] => format!("{id}{sign}"),
                _ if common.len() > word.len() => common,
                _ => return None,
            }
        }
        Some(at) => {
            let (field, value) = word.split_at(at + 1);
            let column = super::filter::column(place.columns(), &field[..at])?;
            let part = value.trim_matches('"').to_lowercase();
            let values: BTreeSet<String> = cx
                .derived
                .rows
                .order
                .iter()
                .take(ROWS)
                .filter_map(|&row| (column.value)(cx, row).words().map(str::to_lowercase))
                .filter(|value| value.starts_with(&part))
                .collect();
            let common = common(values.iter().map(String::as_str))?;
            if common.len() <= part.len() {
                return None;
            }
            let quoted = if common.contains(char::is_whitespace) { format!("\"{common}\"") } else { common };
            format!("{field}{quoted}")
        }
    };
    Some(format!("{before}{negated}{finished}"))
}

/// Fields that begin with `word`, each with the sign that usually comes after it.
pub(crate) fn fields(place: &Place, word: &str) -> Vec<(&'static str, char)> {
    let word = word.to_lowercase();
    let sign = |kind| if matches!(kind, Kind::Text | Kind::Mark | Kind::Relations) { ':' } else { '>' };
    place.columns().iter().filter(|c| c.id.starts_with(&word)).map(|c| (c.id, sign(c.kind))).collect()
}

/// The longest beginning that all have; `None` when there are none.
fn common<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut common = all.next()?.to_owned();
    for one in all {
        let same = common.chars().zip(one.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
        common.truncate(same);
    }
    Some(common)
}

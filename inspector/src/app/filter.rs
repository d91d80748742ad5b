//! What `/` understands: terms that must all hold.
//!
//! `text` · `!text` · `field:text` · `field=value` · `field>1s` `field>=2` `field<50%` `field<=10k` · `"with spaces"`.
//! Fields are the columns of the table in front of the operator.
use thiserror::Error;

use super::column::{Column, Kind};
use super::{Cx, Entity};

/// A filter that was understood.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone)]
enum Test {
    /// In any column of words.
    Anywhere(String),
    /// A column of words contains this.
    Contains(&'static Column, String),
    /// A column of words is this.
    Is(&'static Column, String),
    /// One of a column's relations is this.
    Among(&'static Column, String),
    /// A column of figures compares so.
    Compares(&'static Column, Op, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Why a filter was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FilterError {
    #[error("no field `{0}` here; there are {1}")]
    Field(String, String),
    #[error("no field `{0}` here, did you mean `{1}`?")]
    Nearly(String, &'static str),
    #[error("`{0}` holds words: write {0}:text")]
    Words(&'static str),
    #[error("`{value}` is not a {what}: write {field}>{example}")]
    Value { field: &'static str, value: String, what: &'static str, example: &'static str },
    #[error("`{0}` compares with nothing: write {0}{1}")]
    Missing(&'static str, &'static str),
    #[error("a quote is not closed")]
    Quote,
}

impl Filter {
    /// Understands `text` in terms of `columns`.
    pub(crate) fn parse(text: &str, columns: &'static [Column]) -> Result<Self, FilterError> {
        let terms = split(text)?.into_iter().map(|word| term(&word, columns)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { terms: terms.into_iter().flatten().collect() })
    }

    /// Whether everything passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether `entity` passes.
    pub(crate) fn matches(&self, cx: &Cx, columns: &[Column], entity: Entity) -> bool {
        self.terms.iter().all(|term| term.negated != term.test.holds(cx, columns, entity))
    }
}

impl Test {
    fn holds(&self, cx: &Cx, columns: &[Column], entity: Entity) -> bool {
        match self {
            Self::Anywhere(text) => {
                let words = columns.iter().filter(|c| c.kind != Kind::Relations);
                words.into_iter().any(|c| (c.value)(cx, entity).words().is_some_and(|w| contains(w, text)))
            }
            Self::Among(column, text) => {
                let value = (column.value)(cx, entity);
                value.words().is_some_and(|all| all.split("; ").any(|one| one.eq_ignore_ascii_case(text)))
            }
            Self::Contains(column, text) => (column.value)(cx, entity).words().is_some_and(|w| contains(w, text)),
            Self::Is(column, text) => (column.value)(cx, entity).words().is_some_and(|w| w.to_lowercase() == *text),
            Self::Compares(column, op, limit) => {
                let value = (column.value)(cx, entity).number();
                // Nothing is less than everything: `busy<1%` finds the tasks without a figure too.
                let value = value.unwrap_or(0.0);
                match op {
                    Op::Equal => (value - limit).abs() < f64::EPSILON.max(limit.abs() * 1e-9),
                    Op::Less => value < *limit,
                    Op::LessEqual => value <= *limit,
                    Op::Greater => value > *limit,
                    Op::GreaterEqual => value >= *limit,
                }
            }
        }
    }
}

fn contains(words: &str, lower: &str) -> bool {
    if words.is_ascii() && lower.is_ascii() {
        let (words, lower) = (words.as_bytes(), lower.as_bytes());
        return lower.is_empty() || words.windows(lower.len()).any(|w| w.eq_ignore_ascii_case(lower));
    }
    words.to_lowercase().contains(lower)
}

/// Words at white space, quotes kept together and taken off.
fn split(text: &str) -> Result<Vec<String>, FilterError> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if quoted {
        return Err(FilterError::Quote);
    }
    if any {
        words.push(word);
    }
    Ok(words)
}

/// What else a field goes by where it is no name of its own: people think of the word that other tables have.
const ALSO: [(&str, &str); 2] = [("state", "word"), ("wait", "lasting")];

/// The column that `name` means: by its id, by its head (`lock` among locks, `heldby`), or by what it is called elsewhere.
pub(super) fn column(columns: &'static [Column], name: &str) -> Option<&'static Column> {
    let by_id = |id: &str| columns.iter().find(|c| c.id.eq_ignore_ascii_case(id));
    let head = |c: &&Column| !c.title.is_empty() && c.title.replace(' ', "").eq_ignore_ascii_case(name);
    let also = || ALSO.iter().find(|(also, _)| also.eq_ignore_ascii_case(name)).and_then(|(_, id)| by_id(id));
    by_id(name).or_else(|| columns.iter().find(head)).or_else(also)
}

fn term(word: &str, columns: &'static [Column]) -> Result<Option<Term>, FilterError> {
    let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    if word.is_empty() {
        return Ok(None);
    }
    let made = |test| Ok(Some(Term { negated, test }));
    let Some(at) = word.find([':', '<', '>', '=']) else {
        return made(Test::Anywhere(word.to_lowercase()));
    };
    let (name, rest) = word.split_at(at);
    let Some(column) = column(columns, name) else {
        // `src/main.rs:42` and `Vec<u8>` are text that happens to contain a sign.
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) || rest.starts_with("::") {
            return made(Test::Anywhere(word.to_lowercase()));
        }
        let known: Vec<_> = columns.iter().map(|c| c.id).collect();
        return Err(match crate::text::nearest(name, known.iter().copied()) {
            Some(nearest) => FilterError::Nearly(name.to_owned(), nearest),
            None => FilterError::Field(name.to_owned(), known.join(" ")),
        });
    };
    let (op, arg) = match rest.as_bytes() {
        [b'>', b'=', ..] => (Op::GreaterEqual, &rest[2..]),
        [b'<', b'=', ..] => (Op::LessEqual, &rest[2..]),
        [b'>', ..] => (Op::Greater, &rest[1..]),
        [b'<', ..] => (Op::Less, &rest[1..]),
        _ => (Op::Equal, &rest[1..]),
    };
    let words = matches!(column.kind, Kind::Text | Kind::Mark | Kind::Relations);
    if words && op != Op::Equal {
        return Err(FilterError::Words(column.id));
    }
    if arg.is_empty() {
        return Err(FilterError::Missing(column.id, if words { ":text" } else { example(column.kind).1 }));
    }
    if words {
        let text = arg.to_lowercase();
        if column.kind == Kind::Relations {
            return made(Test::Among(column, text));
        }
        return made(if rest.starts_with('=') { Test::Is(column, text) } else { Test::Contains(column, text) });
    }
    if let Some(limit) = number(arg, column.kind) {
        return made(Test::Compares(column, op, limit));
    }
    let (what, example) = example(column.kind);
    Err(FilterError::Value { field: column.id, value: arg.to_owned(), what, example: &example[1..] })
}

fn example(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Duration => ("time", ">250ms"),
        Kind::Share => ("share", ">50%"),
        _ => ("number", ">1k"),
    }
}

/// A figure with its unit, in what [`super::column::Value::number`] compares in.
fn number(text: &str, kind: Kind) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let value: f64 = digits.parse().ok()?;
    let factor = match (kind, unit) {
        (Kind::Duration, "ns") => 1e-9,
        (Kind::Duration, "us" | "µs") => 1e-6,
        (Kind::Duration, "ms") => 1e-3,
        (Kind::Duration, "s" | "") | (Kind::Share, "%" | "") | (Kind::Number, "" | "/s") => 1.0,
        (Kind::Duration, "m" | "min") => 60.0,
        (Kind::Duration, "h") => 3600.0,
        (Kind::Duration, "d") => 86400.0,
        (Kind::Number, "k" | "K") => 1e3,
        (Kind::Number, "M" | "m") => 1e6,
        _ => return None,
    };
    Some(value * factor)
}

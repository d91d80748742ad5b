//! How figures, ids and places are written, wherever people read them.

pub(crate) mod figures;
pub(crate) mod fit;
pub(crate) mod place;

use std::time::Duration;

use crate::model::TaskId;

pub use place::short_location;
pub(crate) use place::{file_line, is_foreign, is_std, place_name};

/// The bit that tells the root future of a `block_on` from a spawned task.
const ROOT: u64 = 1 << 63;

/// A duration in three significant digits: `412 ms`, `1.25 s`, `87.0 µs`, `4m 10s`, `3h 07m`, `2d 03h`. Nanoseconds are
/// whole, and nothing is `0 s`.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(async_inspect_cli::text::duration(Duration::from_millis(412)), "412 ms");
/// ```
pub fn duration(span: Duration) -> String {
    let ns = span.as_nanos();
    if ns == 0 {
        return "0 s".to_owned();
    }
    if ns < 1000 {
        return format!("{ns} ns");
    }
    // What would round up to a minute is one.
    if ns >= 59_950_000_000 {
        let minutes = (ns + 500_000_000) / 1_000_000_000 / 60;
        return match minutes {
            0..=59 => {
                let rounded = (ns + 500_000_000) / 1_000_000_000;
                format!("{}m {:02}s", rounded / 60, rounded % 60)
            }
            60..=1439 => format!("{}h {:02}m", minutes / 60, minutes % 60),
            _ => format!("{}d {:02}h", minutes / 1440, minutes % 1440 / 60),
        };
    }
    let mut value = ns as f64 / 1e3;
    for (at, unit) in ["µs", "ms", "s"].into_iter().enumerate() {
        // 999.6 µs is 1.00 ms, not 1000 µs.
        if value < 999.5 || at == 2 {
            return format!("{} {unit}", three_digits(value));
        }
        value /= 1e3;
    }
    unreachable!("the last unit takes everything")
}

/// A bound of what is only known to lie within it, as of a histogram's percentile: two digits, rounded up, since more would
/// be false precision.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(async_inspect_cli::text::at_most(Duration::from_micros(65_536)), "within 66 ms");
/// ```
pub fn at_most(bound: Duration) -> String {
    let ns = bound.as_nanos();
    if ns >= 59_000_000_000 {
        return format!("within {}", duration(bound));
    }
    let (mut value, mut unit) = (ns as f64, "ns");
    for next in ["µs", "ms", "s"] {
        if value > 990.0 {
            (value, unit) = (value / 1e3, next);
        }
    }
    let value = match value {
        v if v <= 9.9 && unit != "ns" => format!("{:.1}", (v * 10.0).ceil() / 10.0),
        v if v <= 99.0 => format!("{:.0}", v.ceil()),
        v => format!("{:.0}", (v / 10.0).ceil() * 10.0),
    };
    format!("within {value} {unit}")
}

/// A duration as people write it, and as [`duration`] does: a number and a unit, as in `500ms`, `1.5 s` or `2m`, or
/// several of them, the largest first, as in `1m 30s`. The units are `ns`, `us`, `µs`, `ms`, `s`, `m`, `min`, `h` and `d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (value, rest) = leading_number(text)?;
    let end = rest.find(|c: char| c.is_whitespace() || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, more) = rest.split_at(end);
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let span = Duration::try_from_secs_f64(value * seconds).ok()?;
    if more.trim().is_empty() {
        return Some(span);
    }
    parse_duration(more).filter(|rest| *rest < span).and_then(|rest| span.checked_add(rest))
}

/// A number, and what follows it.
pub(crate) fn leading_number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let value: f64 = text[..end].parse().ok()?;
    Some((value, text[end..].trim()))
}

/// A count: whole up to 9999, then in three significant digits: `12.3k`, `4.56M`.
pub fn count(n: u64) -> String {
    if n < 10_000 {
        return n.to_string();
    }
    scaled(n as f64, 1e3, &["", "k", "M", "G", "T", "P", "E"], "")
}

/// An amount of memory, in powers of 1024: `512 B`, `64.0 MiB`.
pub fn bytes(n: u64) -> String {
    if n < 1024 {
        return format!("{n} B");
    }
    scaled(n as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], " ")
}

/// A share from 0 to 1 as percent: `7.3 %`, `42 %`, `100 %`. What is not a number is `-`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "-".to_owned();
    }
    let percent = share * 100.0;
    if percent > 0.0 && percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A rate per second: `0.4/s`, `123/s`, `45.6k/s`.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second <= 0.0 {
        return "0/s".to_owned();
    }
    if per_second < 9.95 { format!("{per_second:.1}/s") } else { format!("{}/s", count(per_second.round() as u64)) }
}

/// Stands between words that belong on one line.
const NO_BREAK: char = '\u{a0}';

/// `text` so that no line ends between a number and its unit. To be undone by [`with_spaces`] once it is broken into lines.
pub(crate) fn unbroken(text: &str) -> String {
    const UNITS: [&str; 13] = ["ns", "µs", "ms", "s", "m", "h", "%", "B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let begins = |word: &str| word.trim_start_matches(['(', '>', '<']).starts_with(|c: char| c.is_ascii_digit());
    let mut out = String::with_capacity(text.len());
    let mut before = "";
    for (n, word) in text.split(' ').enumerate() {
        let unit = word.trim_end_matches(['.', ',', ';', ':', ')']);
        let is_measure = begins(before) && before.ends_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&unit);
        let goes_on = |unit: char| before.ends_with(unit) && begins(before) && begins(word);
        let joined = is_measure || before == "within" && begins(word) || ['m', 'h', 'd'].into_iter().any(goes_on);
        if n > 0 {
            out.push(if joined { NO_BREAK } else { ' ' });
        }
        out.push_str(word);
        before = word;
    }
    out
}

/// All words of `text` on one line, if there is one so long.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c == ' ' { NO_BREAK } else { c }).collect()
}

/// What is broken into lines has ordinary spaces.
pub(crate) fn with_spaces(line: &str) -> String {
    line.replace(NO_BREAK, " ")
}

/// A count with its noun, which takes an `s` unless it is one: `1 waiter`, `31 tasks`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A task's id as people read it: `#123`; the first `block_on` of a program is `main`, a later one `root-2`; `-` for
/// none.
pub fn task_id(id: TaskId) -> String {
    match (id.0 & ROOT != 0, id.0 & !ROOT) {
        (false, 0) => "-".to_owned(),
        (false, n) => format!("#{n}"),
        (true, 0 | 1) => "main".to_owned(),
        (true, n) => format!("root-{n}"),
    }
}

/// A type's name without the paths of its parts, and without the marks of closures and async blocks, which say nothing:
/// `shop::handlers::pay::{{closure}}` is `pay`, `alloc::vec::Vec<shop::Order>` is `Vec<Order>`. What an `async fn` is
/// generic over, often closures and futures again, is left out.
pub fn short_type(name: &str) -> String {
    const LONGEST: usize = 48;
    let mut out = String::new();
    let whole = name.get(..name.floor_char_boundary(64 * LONGEST)).unwrap_or(name);
    let of_values = without_generics_of_functions(whole);
    let mut rest = of_values.as_str();
    while !rest.is_empty() && out.len() < 4 * LONGEST {
        let end = rest.find(|c: char| "<>()[]&*,;= ".contains(c)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        let mut parts = path.rsplit("::").filter(|part| !part.is_empty() && !part.starts_with('{'));
        let last = parts.next().unwrap_or_else(|| if path.contains('{') { "" } else { path.trim_start_matches("::") });
        if path.starts_with("::") && out.ends_with('>') && !last.is_empty() {
            out.push_str("::");
        }
        out.push_str(last);
        let mut chars = after.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    head(if out.is_empty() { name } else { &out }, LONGEST)
}

/// What goes by a type, made at `location`, is called: its short name, or that place where the type says nothing.
pub fn type_or_place(name: &str, location: &str) -> String {
    // Any future in a box.
    let nameless = name.is_empty() || name.starts_with("core::pin::Pin<alloc::boxed::Box<dyn ");
    if nameless && !location.is_empty() { place_name(location) } else { short_type(name) }
}

/// A type's name without the `<…>` of functions, whose futures and closures go on with `::{` after it.
fn without_generics_of_functions(name: &str) -> String {
    let mut out = String::new();
    // Where in `out` the brackets that are open begin.
    let mut open = Vec::new();
    for (at, c) in name.char_indices() {
        match c {
            '<' => open.push(out.len()),
            '>' if !name[..at].ends_with('-') => {
                if let Some(begins) = open.pop()
                    && name[at + 1..].starts_with("::{")
                    && begins > 0
                {
                    out.truncate(begins);
                    continue;
                }
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The beginning of `text`, at most `most` characters, with `…` where something was cut.
pub fn head(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// What among `known` is most like `name`, if anything is like it.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |k: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase());
    let close = |k: &&str| distance(k) <= k.chars().count().max(3) / 3 || k.starts_with(name) && !name.is_empty();
    known.into_iter().filter(close).min_by_key(|k| distance(k))
}

/// What to say of a name that there is not: what was meant, if anything is like it, or else what there is, where that is no
/// more than is read at a glance.
pub(crate) fn no_such<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str, IntoIter: Clone>) -> String {
    const FEW: usize = 12;
    let known = known.into_iter();
    let hint = match (nearest(name, known.clone()), known.clone().count()) {
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, ..=FEW) => format!("; there are {}", known.map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")),
        (None, _) => String::new(),
    };
    // It may come from anywhere, and is shown in a terminal.
    format!("no {what} `{}`{hint}", head(name, 80).escape_debug())
}

fn scaled(mut value: f64, step: f64, units: &[&str], gap: &str) -> String {
    let mut unit = 0;
    // 999.6k is 1.00M; of powers of 1024, four digits may stand.
    while value >= step - 0.5 && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    format!("{}{gap}{}", three_digits(value), units[unit])
}

fn three_digits(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boxed_future_goes_by_its_place() {
        let boxed =
            "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()> + core::marker::Send>>";
        assert_eq!(type_or_place(boxed, "src/main.rs:9:5"), "main.rs:9");
        assert_eq!(type_or_place("", "src/main.rs:9:5"), "main.rs:9");
        assert_eq!(type_or_place("shop::pay::{{closure}}", "src/main.rs:9:5"), "pay");
        assert!(type_or_place(boxed, "").starts_with("Pin<Box<dyn Future"));
        assert_eq!(type_or_place("", ""), "");
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(parse_duration(" 1.5 s "), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("1m 30s"), Some(Duration::from_secs(90)));
        for secs in [59, 60, 301, 3661, 90_061] {
            let text = duration(Duration::from_secs(secs));
            assert!(parse_duration(&text).is_some(), "{text}");
        }
        assert_eq!([parse_duration("30s 1m"), parse_duration("1m 30"), parse_duration("1m s")], [None; 3]);
        let wrong = ["50", "-1s", "s", "9e99h", "1..2s", "99999999999999999999h"];
        assert_eq!(wrong.map(parse_duration), [None; 6]);
    }

    #[test]
    fn durations_have_three_significant_digits() {
        let cases = [
            (0, "0 s"),
            (7, "7 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (87_000, "87.0 µs"),
            (999_600, "1.00 ms"),
            (412_000_000, "412 ms"),
            (999_499_999, "999 ms"),
            (999_999_999, "1.00 s"),
            (1_250_000_000, "1.25 s"),
            (9_996_000_000, "10.0 s"),
            (59_940_000_000, "59.9 s"),
            (59_990_000_000, "1m 00s"),
            (250_000_000_000, "4m 10s"),
            (3_599_900_000_000, "1h 00m"),
            (11_220_000_000_000, "3h 07m"),
            (183_600_000_000_000, "2d 03h"),
            (86_399_600_000_000, "1d 00h"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(Duration::from_nanos(ns)), text, "{ns} ns");
        }
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn a_bound_has_two_digits_and_is_never_below_what_it_bounds() {
        let cases =
            [(0, "within 0 ns"), (64_000, "within 64 µs"), (8_192_000, "within 8.2 ms"), (991_000, "within 1.0 ms")];
        for (ns, text) in cases.into_iter().chain([(524_288_000, "within 530 ms"), (1_048_576_000, "within 1.1 s")]) {
            assert_eq!(at_most(Duration::from_nanos(ns)), text);
        }
        for bucket in 0..40 {
            let bound = Duration::from_nanos(1 << bucket);
            let told = parse_duration(at_most(bound).trim_start_matches("within ")).expect("it is a duration");
            assert!(told + Duration::from_nanos(1) >= bound || bound.as_secs() >= 59, "{bound:?} {told:?}");
        }
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        let cases = [
            ("held for 8.84 s, and 90 % wait", "held for 8.84_s, and 90_% wait"),
            ("(limit 48.4 KiB) of 10m 00s in all", "(limit 48.4_KiB) of 10m_00s in all"),
            ("99 % of waits within 66 ms; 4 s", "99_% of waits within_66_ms; 4_s"),
            ("task 4 spawns", "task 4 spawns"),
            ("", ""),
            (" a  b ", " a  b "),
        ];
        for (text, whole) in cases {
            assert_eq!(unbroken(text).replace(NO_BREAK, "_"), whole);
            assert_eq!(with_spaces(&unbroken(text)), text);
        }
    }

    #[test]
    fn counts_and_sizes_are_short() {
        assert_eq!([count(0), count(9999), count(12_345)], ["0", "9999", "12.3k"]);
        assert_eq!([count(999_600), count(4_560_000), count(u64::MAX)], ["1.00M", "4.56M", "18.4E"]);
        assert_eq!([bytes(0), bytes(1023), bytes(64 << 20)], ["0 B", "1023 B", "64.0 MiB"]);
        assert_eq!([counted(1, "waiter"), counted(31, "task")], ["1 waiter", "31 tasks"]);
    }

    #[test]
    fn shares_and_rates_say_when_there_is_nothing() {
        assert_eq!([percent(0.0), percent(0.073), percent(1.0), percent(f64::NAN)], ["0 %", "7.3 %", "100 %", "-"]);
        assert_eq!([rate(0.0), rate(0.4), rate(123.4), rate(f64::INFINITY)], ["0/s", "0.4/s", "123/s", "0/s"]);
    }

    #[test]
    fn roots_are_not_nineteen_digits_long() {
        assert_eq!(task_id(TaskId(17)), "#17");
        assert_eq!(task_id(TaskId(ROOT | 1)), "main");
        assert_eq!(task_id(TaskId(ROOT | 2)), "root-2");
        assert_eq!(task_id(TaskId(0)), "-");
    }

    #[test]
    fn a_type_reads_as_its_author_wrote_it() {
        let cases = [
            ("shop::handlers::pay::{{closure}}", "pay"),
            ("shop::main::{{closure}}::{{closure}}", "main"),
            ("shop::handlers::pay::{async_fn_env#0}", "pay"),
            ("alloc::vec::Vec<shop::Order>", "Vec<Order>"),
            ("(core::option::Option<u8>, &mut [shop::Row])", "(Option<u8>, &mut [Row])"),
            ("tracing::Instrumented<shop::pay::{{closure}}>", "Instrumented<pay>"),
            ("<shop::Store as shop::Load>::load::{{closure}}", "<Store as Load>::load"),
            ("zoo::answer<zoo::faulty::{{closure}}::{{closure}}, zoo::transfer::{{closure}}>::{{closure}}", "answer"),
            ("app::retry<fn(u8) -> app::Reply<u8>>::{{closure}}", "retry"),
            ("app::Pool<app::Conn>::get::{{closure}}", "Pool<Conn>::get"),
            ("{{closure}}", "{{closure}}"),
            ("", ""),
        ];
        for (long, short) in cases {
            assert_eq!(short_type(long), short);
        }
        assert!(short_type(&"a<".repeat(5000)).chars().count() <= 48);
        assert_eq!(head("数据库", 2), "数…");
    }
}

//! Making text fit a number of terminal columns, whatever characters it is made of.
use unicode_width::UnicodeWidthChar;

/// Columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Characters that would act on the terminal or reorder what stands beside them. Names are cleaned when they are
/// decoded; this is the second lock on the door.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// `text` without what could act on the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|&c| !harmful(c)).collect()
}

/// The beginning of `text`, at most `columns` wide, with an ellipsis where something was cut.
pub(crate) fn head(text: &str, columns: usize, ellipsis: char) -> String {
    let mut out = String::new();
    let mut used = 0;
    let mut cut_at = 0;
    for c in text.chars().filter(|&c| !harmful(c)) {
        let w = char_width(c);
        if used + w > columns {
            out.truncate(cut_at);
            if columns > 0 {
                out.push(ellipsis);
            }
            return out;
        }
        out.push(c);
        used += w;
        if used < columns {
            cut_at = out.len();
        }
        // A name of nothing but combining characters has no width and no end.
        if out.len() > columns * 16 + 64 {
            return out;
        }
    }
    out
}

/// The end of `text`, at most `columns` wide: the part of a path that tells.
pub(crate) fn tail(text: &str, columns: usize, ellipsis: char) -> String {
    let mut kept: Vec<char> = Vec::new();
    let mut used = 0;
    for c in text.chars().rev().filter(|&c| !harmful(c)) {
        let w = char_width(c);
        if used + w > columns {
            while used + 1 > columns {
                let Some(last) = kept.pop() else { break };
                used -= char_width(last);
            }
            if columns > 0 {
                kept.push(ellipsis);
            }
            break;
        }
        kept.push(c);
        used += w;
        if kept.len() > columns * 4 + 16 {
            break;
        }
    }
    kept.iter().rev().collect()
}

/// A source location in at most `columns`; what is too long loses the folders that it begins with, then its column number.
/// A name is cut only where it alone is too long.
pub(crate) fn location(text: &str, columns: usize, ellipsis: char) -> String {
    let text = clean(crate::text::short_location(text));
    if width(&text) <= columns {
        return text;
    }
    let without_column = super::place::line(&text);
    for whole in [&text, without_column] {
        let folders = whole.match_indices('/').map(|(at, _)| &whole[at..]);
        let shorter = folders.filter(|rest| width(rest) < columns).map(|rest| format!("{ellipsis}{rest}"));
        let bare = whole.rsplit('/').next().filter(|name| width(name) <= columns).map(str::to_owned);
        if let Some(fits) = shorter.take(1).next().or(bare) {
            return fits;
        }
    }
    tail(without_column, columns, ellipsis)
}

/// A name in at most `width` columns. What tells it apart from its like, as in `Account (lock 7)`, stays whole while
/// something of the name does.
pub(crate) fn name(name: &str, width: usize, ellipsis: char) -> String {
    match name.rfind(" (").filter(|_| name.ends_with(')')) {
        Some(at) if self::width(name) > width && self::width(&name[at..]) + 2 <= width => {
            let (begin, number) = name.split_at(at);
            format!("{}{number}", head(begin, width - self::width(number), ellipsis))
        }
        _ => head(name, width, ellipsis),
    }
}

/// `text` cut or padded on the right to exactly `columns`.
pub(crate) fn left(text: &str, columns: usize, ellipsis: char) -> String {
    let mut out = head(text, columns, ellipsis);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&out))));
    out
}

/// `text` cut or padded on the left to exactly `columns`.
pub(crate) fn right(text: &str, columns: usize, ellipsis: char) -> String {
    let cut = head(text, columns, ellipsis);
    let mut out = " ".repeat(columns.saturating_sub(width(&cut)));
    out.push_str(&cut);
    out
}

/// Characters of one text that are looked at, at most.
const MOST_CHARS: usize = 4000;

/// As much of `text` as could be seen in so many `lines` and the next: who shows no more need not break all of it.
pub(crate) fn beginning(text: &str, columns: usize, lines: usize) -> &str {
    // A space is dropped where a line ends, and a wide character takes a line of its own where there is no room for it.
    let most = (columns + 1).max(2) * (lines + 2);
    let mut used = 0;
    let end = text.char_indices().take(MOST_CHARS).find(|(_, c)| {
        used += char_width(*c);
        used > most
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// `text` in no more than `most` lines; the last says if there would be more.
pub(crate) fn lines(text: &str, columns: usize, most: usize, ellipsis: char) -> Vec<String> {
    let mut lines = wrap(beginning(text, columns, most), columns);
    if lines.len() > most {
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(head(&rest, columns, ellipsis));
    }
    lines
}

/// A line of code or of a table, which keeps its shape: what is too long goes on below, under its last column, so that a
/// comment stays one and what is explained stands beside its name.
pub(crate) fn fold(line: &str, columns: usize) -> Vec<String> {
    /// Columns that are worth going on in.
    const LEAST: usize = 24;
    if width(line) <= columns {
        return vec![clean(line)];
    }
    let indent = line.len() - line.trim_start().len();
    let last = line.rfind("   ").map(|at| at + 3).filter(|&at| at > indent + 3);
    let (begins, ends) = match last {
        Some(at) if at + LEAST <= columns => line.split_at(at),
        Some(at) => {
            let below = format!("{}{}", " ".repeat(indent + 2), &line[at..]);
            return [fold(line[..at].trim_end(), columns), fold(&below, columns)].concat();
        }
        None => line.split_at(indent),
    };
    let more = if ends.starts_with("// ") {
        "// "
    } else if last.is_none() {
        "    "
    } else {
        ""
    };
    let room = columns.saturating_sub(width(begins) + width(more)).max(1);
    let blank = " ".repeat(width(begins));
    let beside = wrap(ends, room).into_iter().enumerate();
    beside.map(|(n, text)| if n == 0 { format!("{begins}{text}") } else { format!("{blank}{more}{text}") }).collect()
}

/// `text` broken at spaces into lines at most `columns` wide; longer words are broken where they must be. Text of
/// more than a few thousand characters is cut: nobody reads it, and it comes from the target.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns == 0 {
        return Vec::new();
    }
    let text: String = text.chars().filter(|&c| !harmful(c) || c == '\n').take(MOST_CHARS).collect();
    let text = crate::text::unbroken(&text);
    let options = textwrap::Options::new(columns).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&text, options).iter().map(|line| crate::text::with_spaces(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_asked_for() {
        let texts =
            ["", "plain", "数据库数据库数据库", "e\u{301}\u{301}\u{301}a", "\u{1b}[31mred", "a\u{202e}b", "👩‍👩‍👧‍👦 family"];
        for text in texts {
            for columns in 0..12 {
                for out in [head(text, columns, '…'), tail(text, columns, '…')] {
                    assert!(width(&out) <= columns, "{text:?} in {columns}: {out:?}");
                    assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'));
                }
                assert_eq!(width(&left(text, columns, '…')), columns);
                assert_eq!(width(&right(text, columns, '…')), columns);
                for line in wrap(text, columns) {
                    assert!(width(&line) <= columns.max(2), "{line:?}");
                }
            }
        }
    }

    #[test]
    fn the_beginning_is_broken_as_the_whole_is_and_there_is_more_if_there_is_more() {
        let long = "a few words and then 数据库 some more of them; ".repeat(40);
        for columns in 1..60 {
            for lines in 0..5 {
                let (whole, some) = (wrap(&long, columns), wrap(beginning(&long, columns, lines), columns));
                assert!(some.len() > lines, "{columns} {lines}");
                assert_eq!(some[..lines], whole[..lines], "{columns} {lines}");
            }
        }
        assert_eq!((beginning("two words", 3, 1), beginning("two words", 3, 0)), ("two words", "two word"));
    }

    #[test]
    fn a_line_that_is_too_long_keeps_its_shape() {
        let limit = "  running = 100 ms   a poll that runs longer than this blocks its thread";
        let code = "      let hash = bcrypt(&form);   // 300 ms of computing";
        assert_eq!(
            fold(limit, 50),
            ["  running = 100 ms   a poll that runs longer than", "                     this blocks its thread"]
        );
        assert_eq!(fold(code, 50), ["      let hash = bcrypt(&form);", "        // 300 ms of computing"]);
        assert_eq!(fold(&code[..31], 24), ["      let hash =", "          bcrypt(&form);"]);
        assert_eq!(fold("    // words of a comment", 18), ["    // words of", "    // a comment"]);
        for columns in 24..90 {
            let words = |text: &str| text.replace("//", "").split_whitespace().collect::<String>();
            assert_eq!(words(&fold(code, columns).join(" ")), words(code), "{columns}");
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(head("lock-contention", 8, '…'), "lock-co…");
        assert_eq!(tail("src/handlers/orders.rs:10:5", 14, '…'), "…rders.rs:10:5");
        assert_eq!(head("exact", 5, '…'), "exact");
    }

    #[test]
    fn a_place_loses_folders_first_and_never_a_part_of_a_name() {
        let place = |columns| location("src/handlers/orders.rs:10:5", columns, '…');
        assert_eq!(place(27), "src/handlers/orders.rs:10:5");
        assert_eq!(place(26), "…/handlers/orders.rs:10:5");
        assert_eq!(place(20), "…/orders.rs:10:5");
        assert_eq!(place(14), "orders.rs:10:5");
        assert_eq!(place(13), "orders.rs:10");
        assert_eq!(place(9), "…rs.rs:10");
    }
}

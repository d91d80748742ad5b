//! Strings of a target, made fit to be shown: nothing in them can steer a terminal, hide, or reorder what is around.
use std::borrow::Cow;

/// Bytes of a string that are kept; beyond, it ends in `…`.
pub const MAX_BYTES: usize = 1024;

/// Cleans a string of a target. Control characters become their pictures (`␛`, `␊`), other characters that are invisible
/// or change the direction of writing become `�`, and what is too long is cut.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_BYTES && !text.chars().any(|c| shown(c) != c) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(MAX_BYTES));
    for c in text.chars().map(shown) {
        if out.len() + c.len_utf8() > MAX_BYTES - '…'.len_utf8() {
            out.push('…');
            break;
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// [`clean`], owned.
pub(super) fn owned(text: String) -> String {
    match clean(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cleaned) => cleaned,
    }
}

fn shown(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // C1 controls, soft hyphen, fillers and joiners that take no room, marks of writing direction, separators of
        // lines, format characters of notations, language tags.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["src/main.rs:10:5", "Mutex<Vec<u8>>", "größe 数据库 🦀", ""] {
            assert!(matches!(clean(name), Cow::Borrowed(same) if same == name));
        }
    }

    #[test]
    fn escape_sequences_and_reordering_become_visible() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\r\n\t\0\u{7f}"), "␛[31mred␛[0m␍␊␉␀␡");
        assert_eq!(
            clean("\u{9b}31m a\u{202e}gpj.exe \u{2066}x\u{2069} z\u{200b}w \u{e0041}"),
            "�31m a�gpj.exe �x� z�w �"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        let cut = clean(&"é".repeat(10_000)).into_owned();
        assert!(cut.len() <= MAX_BYTES && cut.len() > MAX_BYTES - 8);
        assert!(cut.ends_with('…'));
    }

    proptest! {
        #[test]
        fn whatever_comes_the_result_is_short_and_shows_itself(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert!(once.len() <= MAX_BYTES);
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert_eq!(clean(&once).into_owned(), once.clone());
        }
    }
}

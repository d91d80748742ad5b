//! Types become names.

/// Characters of a name.
const LONGEST: usize = 48;

/// A type without the paths of its parts and without the marks of closures and async blocks: `shop::pay::{{closure}}` is
/// `pay`.
pub(super) fn of_type(name: &str) -> String {
    let mut short = String::new();
    for piece in name.split_inclusive(|c: char| "<>()[]&*,;= ".contains(c)) {
        let end = piece.trim_end_matches(|c: char| "<>()[]&*,;= ".contains(c)).len();
        let (path, separator) = piece.split_at(end);
        short.push_str(path.rsplit("::").find(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default());
        short.push_str(separator);
        if short.len() > 4 * LONGEST {
            break;
        }
    }
    if short.chars().count() > LONGEST { short.chars().take(LONGEST - 1).chain(['…']).collect() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_person_would_say() {
        for (long, short) in [
            ("shop::handlers::pay::{{closure}}", "pay"),
            ("shop::main::{{closure}}::{{closure}}", "main"),
            ("alloc::vec::Vec<shop::Order>", "Vec<Order>"),
            ("()", "()"),
            ("", ""),
        ] {
            assert_eq!(of_type(long), short);
        }
        assert_eq!(of_type(&"a<".repeat(5000)).chars().count(), LONGEST);
    }
}

//! Places in sources: `path:line:column`, or what is known of it. Compilers give code that is of no one expression a line
//! without a column.

/// A place as text; empty without a file. Lines and columns count from 1, and 0 is one that is not known.
pub(crate) fn written(file: &str, line: u32, column: u32) -> String {
    match (file, line, column) {
        ("", ..) => String::new(),
        (file, 0, _) => file.to_owned(),
        (file, line, 0) => format!("{file}:{line}"),
        (file, line, column) => format!("{file}:{line}:{column}"),
    }
}

/// The path, the line and the column, 0 where there is none; `None` for what is no line of a file.
pub(crate) fn parts(place: &str) -> Option<(&str, u32, u32)> {
    let at_line = line(place);
    let (path, number) = at_line.rsplit_once(':')?;
    let number = number.parse().ok().filter(|line| *line > 0 && !path.is_empty())?;
    let column = place[at_line.len()..].trim_start_matches(':').parse().unwrap_or(0);
    Some((path, number, column))
}

/// A place without its column, which says nothing that its line does not, and changes with the formatting.
pub(crate) fn line(place: &str) -> &str {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match place.rsplit_once(':') {
        Some((line, column)) if number(column) && line.rsplit(':').next().is_some_and(number) => line,
        _ => place,
    }
}

/// `orders.rs:10` of `src/handlers/orders.rs:10:5`.
pub(crate) fn file_line(place: &str) -> &str {
    line(place.rsplit('/').next().unwrap_or(place))
}

/// A source location without what every machine has differently: the crates.io cache, cargo's git checkouts, the
/// toolchain. What remains of a dependency begins with its name and version (`hyper-1.7.0/src/rt.rs:9:5`), what
/// remains of the standard library with `library/`; the app's own paths stay whole.
pub fn short_location(location: &str) -> &str {
    for (cache, folders) in [("/registry/src/", 1), ("/git/checkouts/", 0), ("/rustlib/src/rust/", 0), ("/rustc/", 1)] {
        if let Some((_, mut rest)) = location.split_once(cache) {
            for _ in 0..folders {
                rest = rest.split_once('/').map_or(rest, |(_, rest)| rest);
            }
            return rest;
        }
    }
    location
}

/// Whether a place is in a dependency, or in the standard library: not a line of the app's own.
pub(crate) fn is_foreign(location: &str) -> bool {
    short_location(location).len() < location.len()
}

/// A place as it is named in few words: `orders.rs:10` of `src/handlers/orders.rs:10:5`; where it is a dependency's, with
/// whose it is, since a `mod.rs` is everybody's: `axum mod.rs:389`.
pub(crate) fn place_name(location: &str) -> String {
    let line = file_line(location);
    let folder = short_location(location).split('/').next().filter(|_| is_foreign(location) && !is_std(location));
    // Folders of dependencies are named for their version too.
    let name =
        folder.and_then(|folder| folder.rsplit_once('-')).filter(|(_, v)| v.starts_with(|c: char| c.is_ascii_digit()));
    match name {
        Some((name, _)) => format!("{name} {line}"),
        None => line.to_owned(),
    }
}

/// Whether a place is in the standard library.
pub(crate) fn is_std(location: &str) -> bool {
    let short = short_location(location);
    short.len() < location.len() && short.starts_with("library/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_taken_apart_again() {
        for (file, line, column) in [("src/a.rs", 3, 7), ("src/a.rs", 3, 0), ("C:\\a.rs", 3, 7), ("a:1.rs", 3, 0)] {
            assert_eq!(parts(&written(file, line, column)), Some((file, line, column)));
        }
        for nowhere in ["", "main.rs", ":1:1", "main.rs:0", "main.rs:0:1", "main.rs:x", "main.rs:99999999999"] {
            assert_eq!(parts(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_place_is_named_by_file_and_line() {
        for place in ["src/handlers/orders.rs:10:5", "src/handlers/orders.rs:10", "orders.rs:10:5"] {
            assert_eq!(file_line(place), "orders.rs:10");
        }
        assert_eq!(file_line("C:\\src\\pay.rs:10:5"), "C:\\src\\pay.rs:10");
        assert_eq!((file_line("src/main.rs"), file_line("odd"), file_line("")), ("main.rs", "odd", ""));
    }

    #[test]
    fn a_dependencys_line_is_named_with_whose_it_is() {
        let cargo = "/home/me/.cargo/registry/src/registry-0123456789abcdef/";
        assert_eq!(place_name(&format!("{cargo}axum-0.8.4/src/serve/mod.rs:389:9")), "axum mod.rs:389");
        assert_eq!(place_name(&format!("{cargo}hyper-util-0.1.17/src/rt.rs:9")), "hyper-util rt.rs:9");
        assert_eq!(place_name("src/serve/mod.rs:389:9"), "mod.rs:389");
        assert_eq!(place_name("/rustc/0123abcd/library/alloc/src/sync.rs:3734:9"), "sync.rs:3734");
        assert!(is_std("/rustc/0123abcd/library/alloc/src/sync.rs:3734:9") && !is_std("library/src/main.rs:3:9"));
        assert_eq!(place_name(""), "");
    }

    #[test]
    fn a_dependency_is_named_by_crate_and_version() {
        let cases = [
            ("/home/u/.cargo/registry/src/index-1949cf8c/hyper-1.7.0/src/rt.rs:9:5", "hyper-1.7.0/src/rt.rs:9:5"),
            ("/home/u/.cargo/git/checkouts/h2-1a2b/0f3c/src/lib.rs:1:1", "h2-1a2b/0f3c/src/lib.rs:1:1"),
            ("/rustc/0123abcd/library/core/src/ops.rs:2:3", "library/core/src/ops.rs:2:3"),
            ("src/handlers/orders.rs:10:5", "src/handlers/orders.rs:10:5"),
            ("", ""),
        ];
        for (long, short) in cases {
            assert_eq!(short_location(long), short);
        }
    }
}

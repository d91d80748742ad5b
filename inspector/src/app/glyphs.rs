//! The signs that the dashboard draws with, in Unicode and in ASCII. All are one column wide unless they say so.

use crate::lints::Severity;

/// One set of signs.
#[derive(Debug)]
pub(crate) struct Glyphs {
    pub(crate) crit: &'static str,
    pub(crate) warn: &'static str,
    pub(crate) info: &'static str,
    pub(crate) ok: &'static str,
    pub(crate) live: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) ellipsis: char,
    pub(crate) right: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    pub(crate) sort_up: &'static str,
    pub(crate) sort_down: &'static str,
    pub(crate) open: &'static str,
    pub(crate) closed: &'static str,
    pub(crate) crumb: &'static str,
    pub(crate) line: &'static str,
    pub(crate) pipe: &'static str,
    /// Where a tree branches, ends, goes on beside, and comes back to where it was; two columns each but the last.
    pub(crate) fork: &'static str,
    pub(crate) end: &'static str,
    pub(crate) trunk: &'static str,
    pub(crate) circle: &'static str,
    /// The first, the middle and the last line of a closed loop.
    pub(crate) ring: [&'static str; 3],
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    /// A point of a line of eighths that is nothing.
    pub(crate) zero: &'static str,
    pub(crate) spark: [&'static str; 8],
}

/// For terminals that show Unicode. None of these has an emoji form, which some terminals draw two columns wide.
pub(crate) static UNICODE: Glyphs = Glyphs {
    crit: "✗",
    warn: "▲",
    info: "•",
    ok: "✓",
    live: "●",
    stale: "○",
    dot: "·",
    ellipsis: '…',
    right: "→",
    up: "↑",
    down: "↓",
    sort_up: "▴",
    sort_down: "▾",
    open: "▾",
    closed: "▸",
    crumb: "›",
    line: "─",
    pipe: "│",
    fork: "├─",
    end: "└─",
    trunk: "│ ",
    circle: "↺",
    ring: ["┌", "│", "└"],
    full: "█",
    empty: "░",
    zero: "·",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
};

/// For terminals that do not.
pub(crate) static ASCII: Glyphs = Glyphs {
    crit: "X",
    warn: "!",
    info: "i",
    ok: "+",
    live: "*",
    stale: "o",
    dot: "-",
    ellipsis: '~',
    right: ">",
    up: "^",
    down: "v",
    sort_up: "^",
    sort_down: "v",
    open: "v",
    closed: ">",
    crumb: ">",
    line: "-",
    pipe: "|",
    fork: "|-",
    end: "`-",
    trunk: "| ",
    circle: "@",
    ring: ["/", "|", "\\"],
    full: "#",
    empty: ".",
    zero: ",",
    spark: ["_", ".", ":", "-", "=", "+", "*", "#"],
};

impl Glyphs {
    /// Words of ours as this terminal can show them.
    pub(crate) fn spell(&self, words: String) -> String {
        if self.dot == UNICODE.dot {
            words
        } else {
            words.replace('≤', "<=").replace('µ', "u").replace('·', self.dot)
        }
    }

    /// The sign of a severity.
    pub(crate) fn severity(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Info => self.info,
            Severity::Warn => self.warn,
            Severity::Crit => self.crit,
        }
    }
}

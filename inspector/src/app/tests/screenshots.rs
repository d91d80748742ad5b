//! The pictures in the documentation are drawn from the fixtures, so that they show what the dashboard shows.
//! `UPDATE_SCREENSHOTS=1` draws them anew.
use std::fmt::Write;
use std::path::{Path, PathBuf};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::app::testing::Driver;
use crate::app::theme::Theme;
use crate::app::{Depth, ThemeChoice};

/// Size of a character.
const WIDE: f64 = 8.4;
const HIGH: f64 = 17.0;
/// Around the text; the bar with the title is as high as twice that.
const EDGE: f64 = 14.0;

const SIZE: (u16, u16) = (96, 24);

/// What is shown, and the keys that lead there.
type Open = fn(u16, u16) -> Driver;
const PICTURES: &[(&str, &str, Open)] = &[
    ("deadlock", "", Driver::bank),
    ("lock", "3<Enter>", Driver::bank),
    ("incident", "", Driver::shop),
    ("timeline", "7<Left><Left><Left><Left>", |columns, rows| {
        let mut driver = Driver::shop(columns, rows);
        driver.recall();
        driver
    }),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots")
}

#[test]
fn the_pictures_in_the_documentation_show_what_the_dashboard_shows() {
    let update = std::env::var_os("UPDATE_SCREENSHOTS").is_some();
    let mut stale = Vec::new();
    for &(name, keys, open) in PICTURES {
        for (look, choice) in [("dark", ThemeChoice::Dark), ("light", ThemeChoice::Light)] {
            let mut driver = open(SIZE.0, SIZE.1);
            driver.app.theme = Theme::new(choice, Depth::True);
            driver.keys(keys);
            let svg = svg(&driver.buffer(), choice, "async-inspect connect");
            let path = folder().join(format!("{name}-{look}.svg"));
            if update {
                std::fs::create_dir_all(folder()).unwrap();
                std::fs::write(&path, svg).unwrap();
            } else if std::fs::read_to_string(&path).ok().as_deref() != Some(&svg) {
                stale.push(path);
            }
        }
    }
    assert!(stale.is_empty(), "UPDATE_SCREENSHOTS=1 cargo test draws these anew, then look at them: {stale:?}");
}

type Rgb = (u8, u8, u8);

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Half way from `a` to `b`.
fn between((ar, ag, ab): Rgb, (br, bg, bb): Rgb) -> Rgb {
    let mid = |a: u8, b: u8| u8::midpoint(a, b);
    (mid(ar, br), mid(ag, bg), mid(ab, bb))
}

/// The ink of a cell, what is behind it, and whether it is bold.
fn look(cell: &Cell, ground: Rgb, text: Rgb) -> (Rgb, Rgb, bool) {
    let color = |color, none| match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Reset => none,
        other => panic!("{other:?} in a picture of all colours"),
    };
    let (mut ink, mut behind) = (color(cell.fg, text), color(cell.bg, ground));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut behind);
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = between(ink, behind);
    }
    (ink, behind, cell.modifier.contains(Modifier::BOLD))
}

/// A picture of `buffer`. Every run of text has its width written down and blocks are drawn as such, so that it looks the
/// same in whatever font there is.
fn svg(buffer: &Buffer, choice: ThemeChoice, title: &str) -> String {
    let (ground, text) = Theme::ground(choice);
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * WIDE + 2.0 * EDGE, rows * HIGH + 4.0 * EDGE);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:space=\"preserve\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>{title}</title>\n\
         <style>text{{font:14px ui-monospace,'Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}\
         rect{{shape-rendering:crispEdges}}.b{{font-weight:700}}.u{{text-decoration:underline}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"9\" fill=\"{}\" stroke=\"{}\"/>",
        hex(ground),
        hex(between(ground, text)),
    );
    for (n, fill) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let _ = writeln!(out, "<circle cx=\"{}\" cy=\"16\" r=\"5.5\" fill=\"{fill}\"/>", 18 + n * 18);
    }
    let middle = width / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"{middle:.0}\" y=\"21\" text-anchor=\"middle\" fill=\"{}\">{title}</text>",
        hex(between(ground, text))
    );
    for y in 0..buffer.area.height {
        let top = 2.0 * EDGE + EDGE / 2.0 + f64::from(y) * HIGH;
        let mut x = 0;
        while x < buffer.area.width {
            let first = &buffer[(x, y)];
            let start = x;
            let mut run = String::new();
            // Cells that look alike are one piece of text, blocks of the same height one block.
            let block = block(first.symbol());
            while x < buffer.area.width {
                let cell = &buffer[(x, y)];
                let alike = look(cell, ground, text) == look(first, ground, text) && cell.modifier == first.modifier;
                if !alike || block != self::block(cell.symbol()) {
                    break;
                }
                run.push_str(cell.symbol());
                x += 1;
            }
            piece(
                &mut out,
                first,
                block,
                &run,
                (f64::from(start) * WIDE + EDGE, top),
                f64::from(x - start),
                (ground, text),
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// One piece, `columns` wide, at `left` and `top`.
fn piece(
    out: &mut String,
    cell: &Cell,
    block: Option<(f64, f64)>,
    run: &str,
    (left, top): (f64, f64),
    columns: f64,
    (ground, text): (Rgb, Rgb),
) {
    let (ink, behind, bold) = look(cell, ground, text);
    let width = columns * WIDE;
    if behind != ground {
        let fill = hex(behind);
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HIGH:.1}\" fill=\"{fill}\"/>"
        );
    }
    let fill = hex(ink);
    if let Some((share, opacity)) = block {
        let height = HIGH * share;
        let y = top + HIGH - height;
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\" \
             fill-opacity=\"{opacity}\"/>"
        );
        return;
    }
    let shown = run.trim_end();
    if shown.is_empty() {
        return;
    }
    let indent = shown.chars().take_while(|c| *c == ' ').count();
    let left = left + indent as f64 * WIDE;
    let shown = shown.trim_start();
    let length = crate::text::fit::width(shown) as f64 * WIDE;
    let mut class = String::new();
    if bold {
        class.push('b');
    }
    if cell.modifier.contains(Modifier::UNDERLINED) {
        class.push_str(" u");
    }
    let class = if class.is_empty() { class } else { format!(" class=\"{}\"", class.trim()) };
    let baseline = top + HIGH * 0.76;
    let escaped = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{baseline:.1}\" textLength=\"{length:.1}\"{class} fill=\"{fill}\">{escaped}</text>"
    );
}

/// How high a block is, as a share of the line, and how dense.
fn block(symbol: &str) -> Option<(f64, f64)> {
    let eighths = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    match symbol {
        "░" => Some((1.0, 0.25)),
        other => eighths.iter().position(|e| *e == other).map(|n| ((n + 1) as f64 / 8.0, 1.0)),
    }
}

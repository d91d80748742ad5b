//! Lines of text with links in them: what pages, side panes and empty tables are made of.

use super::glyphs::Glyphs;
use super::theme::Role;
use super::{Cx, Entity, Row, graph};
use crate::model::{Model, Series};
use crate::text::{figures, fit};

/// Columns of the labels at the left.
const LABEL: usize = 14;

/// A page being written, for a known width.
pub(crate) struct Page<'a> {
    width: usize,
    label: usize,
    pub(crate) glyphs: &'static Glyphs,
    /// What is there to be led to.
    model: &'a Model,
    lines: Vec<PageLine>,
}

/// One line.
pub(crate) struct PageLine {
    pub(crate) pieces: Vec<(Role, String)>,
    row: Option<Row>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(cx: &Cx<'a>, width: usize) -> Self {
        let label = if width < 44 { 11 } else { LABEL };
        Self { width, label, glyphs: cx.glyphs, model: cx.model, lines: Vec::new() }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn lines(&self) -> &[PageLine] {
        &self.lines
    }

    /// Keeps the first `lines`.
    pub(crate) fn truncate(&mut self, lines: usize) {
        self.lines.truncate(lines);
    }

    /// The links, each with the number of its line.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, Row)> + '_ {
        self.lines.iter().enumerate().filter_map(|(n, line)| line.row.map(|row| (n, row)))
    }

    /// All of it as plain text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let text: String = line.pieces.iter().map(|(_, text)| text.as_str()).collect();
            out.push_str(fit::clean(&text).trim_end());
            out.push('\n');
        }
        out
    }

    /// Pieces side by side.
    pub(crate) fn line(&mut self, pieces: Vec<(Role, String)>) {
        self.lines.push(PageLine { pieces, row: None });
    }

    /// A line between what was and what comes; one is enough.
    pub(crate) fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.pieces.is_empty()) {
            self.line(Vec::new());
        }
    }

    /// A label in its column, or a little wider where it would touch the text. Returns the columns left as well.
    fn label(&self, text: &str) -> (String, usize) {
        let columns = if fit::width(text) < self.label { self.label } else { fit::width(text).min(30) + 2 };
        let label = fit::left(text, columns, self.glyphs.ellipsis);
        (label, self.width.saturating_sub(columns))
    }

    /// A heading over what follows, with a line between it and what was.
    pub(crate) fn heading(&mut self, text: &str) {
        self.blank();
        self.line(vec![(Role::Strong, text.to_owned())]);
    }

    /// Words over the whole width.
    pub(crate) fn words(&mut self, role: Role, text: &str) {
        for line in fit::wrap(text, self.width) {
            self.line(vec![(role, line)]);
        }
    }

    /// What a rule's explanation says: sentences are broken anew for this width, code and limits keep their lines.
    pub(crate) fn explanation(&mut self, role: Role, text: &str) {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let (mut sentence, mut keep) = (String::new(), false);
        for line in text.lines().chain([""]) {
            let heading = indent(line) == 0 && !line.is_empty();
            if heading && matches!(line, "WRONG" | "RIGHT" | "Thresholds") {
                keep = true;
            } else if heading {
                keep = false;
            }
            let goes_on = !keep && !sentence.is_empty() && indent(line) == indent(&sentence) && !line.is_empty();
            if goes_on {
                sentence.push(' ');
                sentence.push_str(line.trim_start());
                continue;
            }
            if !sentence.is_empty() {
                let begins = indent(&sentence);
                for words in fit::wrap(sentence.trim_start(), self.width.saturating_sub(begins).max(8)) {
                    self.line(vec![(role, format!("{}{words}", " ".repeat(begins)))]);
                }
                sentence.clear();
            }
            if keep || line.is_empty() {
                for part in fit::fold(line, self.width.max(8)) {
                    self.line(vec![(role, part)]);
                }
            } else {
                line.clone_into(&mut sentence);
            }
        }
    }

    /// A label and what it says; long text goes on below, indented.
    pub(crate) fn fact(&mut self, label: &str, role: Role, text: &str) {
        let (label, room) = self.label(label);
        let indent = fit::width(&label);
        let mut lines = fit::wrap(text, room.max(8)).into_iter();
        let first = lines.next().unwrap_or_default();
        self.line(vec![(Role::Muted, label), (role, first)]);
        for line in lines {
            self.line(vec![(Role::Muted, " ".repeat(indent)), (role, line)]);
        }
    }

    /// A label and a source location.
    pub(crate) fn place(&mut self, label: &str, location: &str) {
        let (label, room) = self.label(label);
        let (role, text) = if location.is_empty() {
            (Role::Muted, "unknown".to_owned())
        } else {
            (Role::Accent, fit::location(location, room, self.glyphs.ellipsis))
        };
        self.line(vec![(Role::Muted, label), (role, text)]);
    }

    /// A label, the entity that it leads to, and a remark. What is gone leads nowhere, and is named all the same.
    pub(crate) fn link(&mut self, slot: &'static str, label: &str, entity: Entity, name: &str, remark: &str) {
        if !entity.exists(self.model) {
            let remark = if remark.is_empty() { String::new() } else { format!(" {} {remark}", self.glyphs.dot) };
            self.fact(label, Role::Muted, &format!("{name}{remark}"));
            return;
        }
        let (label, room) = self.label(label);
        let room = room.saturating_sub(2);
        let remark_width = fit::width(remark);
        let name_room = if remark_width + 3 + 12 <= room { room - remark_width - 3 } else { room };
        let name = fit::head(name, name_room, self.glyphs.ellipsis);
        let mut pieces =
            vec![(Role::Muted, label), (Role::Accent, format!("{} ", self.glyphs.right)), (Role::Accent, name.clone())];
        let left = room.saturating_sub(fit::width(&name) + 3);
        if !remark.is_empty() && left > 3 {
            pieces.push((Role::Muted, format!(" {} ", self.glyphs.dot)));
            pieces.push((Role::Text, fit::head(remark, left, self.glyphs.ellipsis)));
        }
        self.lines.push(PageLine { pieces, row: Some(Row { slot, entity }) });
    }

    /// One node of a tree: `trunk` leads to it, and it leads to an entity.
    pub(crate) fn branch(&mut self, trunk: &str, entity: Entity, name: &str, remark: &str) {
        let room = self.width.saturating_sub(fit::width(trunk));
        let name = fit::head(name, room, self.glyphs.ellipsis);
        let left = room.saturating_sub(fit::width(&name) + 1);
        let remark = fit::head(remark, left, self.glyphs.ellipsis);
        let pieces = vec![(Role::Muted, trunk.to_owned()), (Role::Accent, name), (Role::Text, format!(" {remark}"))];
        let row = entity.exists(self.model).then_some(Row { slot: "tree", entity });
        self.lines.push(PageLine { pieces, row });
    }

    /// A label, the last minute of a figure, and its newest value.
    pub(crate) fn spark(&mut self, label: &str, series: &Series, newest: &str) {
        self.sparks(&[(label, series, newest)]);
    }

    /// The same of several figures on one scale: what is lower is less.
    pub(crate) fn sparks(&mut self, all: &[(&str, &Series, &str)]) {
        let most = all.iter().map(|(_, series, _)| graph::peak(series, Series::POINTS)).fold(0.0, f64::max);
        for (label, series, newest) in all {
            let (label, room) = self.label(label);
            let value = fit::right(newest, 7, self.glyphs.ellipsis);
            let room = room.saturating_sub(8).min(Series::POINTS);
            let spark = graph::spark_up_to(most, series, room, self.glyphs);
            self.line(vec![(Role::Muted, label), (Role::Text, value), (Role::Info, format!(" {spark}"))]);
        }
    }

    /// The last minute of a figure as a chart `height` lines high, from zero to the most; a line where `limit` is.
    pub(crate) fn chart(&mut self, series: &Series, limit: Option<f64>, height: usize) {
        let sane = |v: f64| if v.is_finite() && v > 0.0 { v } else { 0.0 };
        let columns = self.width.saturating_sub(self.label + 2).min(Series::POINTS);
        let points: Vec<f64> = series.points().map(sane).collect();
        let points = &points[points.len().saturating_sub(columns)..];
        let limit = limit.filter(|l| l.is_finite() && *l > 0.0);
        let most = points.iter().copied().fold(limit.unwrap_or(0.0), f64::max);
        if most <= 0.0 {
            self.fact("", Role::Muted, "empty all the time");
            return;
        }
        let g = self.glyphs;
        let eighths = |v: f64| (v / most * (height * 8) as f64).ceil() as usize;
        for row in (0..height).rev() {
            let floor = row * 8;
            let limited = limit.is_some_and(|l| (floor + 1..=floor + 8).contains(&eighths(l)));
            let label = match (row + 1 == height, row) {
                _ if limited => format!("full {}", figures::count(limit.unwrap_or(0.0) as u64)),
                (true, _) => figures::count(most as u64),
                (_, 0) => "0".to_owned(),
                _ => String::new(),
            };
            let mut pieces =
                vec![(Role::Muted, fit::right(&label, self.label - 1, g.ellipsis)), (Role::Muted, " ".to_owned())];
            let blank = columns - points.len();
            let mut cell = |role: Role, sign: &str| match pieces.last_mut() {
                Some((last, text)) if *last == role => text.push_str(sign),
                _ => pieces.push((role, sign.to_owned())),
            };
            for n in 0..columns {
                let level = n.checked_sub(blank).map_or(0, |n| eighths(points[n]).saturating_sub(floor));
                match level {
                    0 if limited => cell(Role::Warn, g.line),
                    0 => cell(Role::Info, " "),
                    level => cell(if limited { Role::Warn } else { Role::Info }, g.spark[(level - 1).min(7)]),
                }
            }
            self.line(pieces);
        }
    }

    /// A label and a bar, with words after it.
    pub(crate) fn bar(&mut self, label: &str, share: f64, role: Role, text: &str) {
        let (label, _) = self.label(label);
        let bar = graph::bar(share, 20.min(self.width / 3), self.glyphs);
        self.line(vec![(Role::Muted, label), (role, bar), (Role::Text, format!(" {text}"))]);
    }
}

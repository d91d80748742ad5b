//! Pages on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets;
use crate::app::page::Page;
use crate::app::theme::{Role, Theme};
use crate::text::fit;

impl Page<'_> {
    /// Draws the lines from `offset` on, that of number `lit` lit.
    pub(crate) fn draw(&self, buf: &mut Buffer, area: Rect, offset: usize, lit: Option<usize>, theme: &Theme) {
        let area = area.intersection(buf.area);
        for ((n, line), y) in self.lines().iter().enumerate().skip(offset).zip(area.top()..area.bottom()) {
            let mut x = area.left();
            for (role, text) in &line.pieces {
                x = widgets::put(buf, x, y, area.right(), text, theme.style(*role));
            }
            if lit == Some(n) {
                buf.set_style(Rect { y, height: 1, ..area }, theme.selected());
            }
        }
    }

    /// Says in the last line of `area` how many more follow what is drawn there from `offset` on.
    pub(crate) fn draw_rest(&self, buf: &mut Buffer, area: Rect, offset: usize, theme: &Theme) {
        let area = area.intersection(buf.area);
        let rest = self.lines().len().saturating_sub(offset + usize::from(area.height));
        if rest == 0 || area.is_empty() {
            return;
        }
        let text = format!(" {} {} ", self.glyphs.down, crate::text::counted(rest as u64, "more line"));
        let text = fit::head(&text, usize::from(area.width), self.glyphs.ellipsis);
        let x = area.right() - (fit::width(&text) as u16).min(area.width);
        widgets::put(buf, x, area.bottom() - 1, area.right(), &text, theme.style(Role::Accent));
    }
}

//! Writing into the buffer of a frame.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Writes `text` from column `x` to before `end`; returns the column after it.
pub(crate) fn put(buf: &mut Buffer, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
    let end = end.min(buf.area.right());
    if x >= end || y < buf.area.top() || y >= buf.area.bottom() || x < buf.area.left() {
        return x;
    }
    buf.set_stringn(x, y, text, usize::from(end - x), style).0
}

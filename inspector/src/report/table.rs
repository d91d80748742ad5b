//! Rows in columns, for people.
use unicode_width::UnicodeWidthStr;

/// A table that is as wide as what is in it.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// With these headers; those that begin with `>` have their column aligned right.
    pub(super) fn new(headers: [&str; N]) -> Self {
        Self { rows: vec![headers.map(str::to_owned)] }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// The lines of the table, indented by two; the last column ends where its text does.
    pub(super) fn print(mut self, out: &mut String) {
        let right: [bool; N] = std::array::from_fn(|column| self.rows[0][column].starts_with('>'));
        for header in &mut self.rows[0] {
            if header.starts_with('>') {
                header.remove(0);
            }
        }
        let widths: [usize; N] =
            std::array::from_fn(|column| self.rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[column].saturating_sub(cell.width()));
                line.push_str("  ");
                if right[column] {
                    line.push_str(&pad);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&pad);
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

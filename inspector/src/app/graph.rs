//! Figures as lines of signs.

use super::glyphs::Glyphs;
use crate::model::Series;

/// The newest `columns` points as a line of eighths, the largest as the full height; zero is a dot, and blank is what
/// was not seen.
pub(crate) fn spark(series: &Series, columns: usize, glyphs: &Glyphs) -> String {
    spark_up_to(peak(series, columns), series, columns, glyphs)
}

/// The largest of the newest `columns` points.
pub(crate) fn peak(series: &Series, columns: usize) -> f64 {
    newest(series, columns).fold(0.0, f64::max)
}

fn newest(series: &Series, columns: usize) -> impl ExactSizeIterator<Item = f64> {
    let points = series.points();
    let before = points.len().saturating_sub(columns);
    points.skip(before).map(|v| if v.is_finite() && v > 0.0 { v } else { 0.0 })
}

/// The same with `most` as the full height, for lines that are to be compared.
pub(crate) fn spark_up_to(most: f64, series: &Series, columns: usize, glyphs: &Glyphs) -> String {
    let points = newest(series, columns);
    let mut out = " ".repeat(columns - points.len());
    for point in points {
        let level = if most > 0.0 { (point / most * 8.0).ceil() as usize } else { 0 };
        out.push_str(if level == 0 { glyphs.zero } else { glyphs.spark[(level - 1).min(7)] });
    }
    out
}

/// A share, 0 to 1, as a bar of `columns`.
pub(crate) fn bar(share: f64, columns: usize, glyphs: &Glyphs) -> String {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let mut full = (share * columns as f64).round() as usize;
    // What is shown as less than one of a hundred looks like nothing.
    if full == 0 && share >= 0.01 {
        full = 1.min(columns);
    }
    glyphs.full.repeat(full) + &glyphs.empty.repeat(columns.saturating_sub(full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::glyphs::{ASCII, UNICODE};
    use crate::text::fit::width;

    #[test]
    fn a_line_of_figures_is_as_wide_as_asked_for() {
        let mut series = Series::default();
        for value in [0.0, 1.0, f64::NAN, f64::INFINITY, -3.0, 8.0, f64::MAX] {
            series.push(value);
            for columns in [0, 1, 5, 60, 80] {
                for glyphs in [&UNICODE, &ASCII] {
                    assert_eq!(width(&spark(&series, columns, glyphs)), columns);
                    assert_eq!(width(&bar(value, columns, glyphs)), columns);
                }
            }
        }
    }

    #[test]
    fn the_largest_point_has_the_full_height() {
        let mut series = Series::default();
        for value in [0.0, 1.0, 4.0, 8.0] {
            series.push(value);
        }
        assert_eq!(spark(&series, 6, &UNICODE), "  ·▁▄█");
        assert_eq!(spark_up_to(16.0, &series, 6, &UNICODE), "  ·▁▂▄");
        assert_eq!(bar(0.5, 4, &ASCII), "##..");
        assert_eq!([bar(0.001, 4, &ASCII), bar(0.02, 4, &ASCII)], ["....", "#..."]);
        assert_eq!((peak(&series, 6), peak(&Series::default(), 6)), (8.0, 0.0));
    }
}

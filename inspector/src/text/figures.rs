//! Figures as the columns of a table want them: short, and without the unit that the head of the column has.
use std::time::Duration;

pub(crate) use super::{bytes, count, duration};

/// A time to whole seconds, for what is only roughly so: `12s`, `4m 10s`.
pub(crate) fn seconds(d: Duration) -> String {
    match d.as_secs() {
        s @ 0..60 => format!("{s}s"),
        _ => duration(d),
    }
}

/// Something per second: `0.2`, `14.0`, `8.21k`.
pub(crate) fn rate(r: f64) -> String {
    if !r.is_finite() {
        return "?".to_owned();
    }
    match r {
        a if a <= 0.0 => "0".to_owned(),
        a if a < 0.05 => "<0.1".to_owned(),
        a if a < 99.95 => format!("{r:.1}"),
        a if a < 999.5 => format!("{r:.0}"),
        _ => count(r as u64),
    }
}

/// A share, 0 to 1, as percent: `0.3%`, `42%`.
pub(crate) fn share(s: f64) -> String {
    if !s.is_finite() {
        return "?".to_owned();
    }
    let percent = s * 100.0;
    if percent >= 99_999.0 {
        ">99999%".to_owned()
    } else if percent == 0.0 {
        "0%".to_owned()
    } else if percent > 0.0 && percent < 0.05 {
        "<0.1%".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_figures_stay_short() {
        assert!(duration(Duration::from_nanos(u64::MAX)).len() < 12);
        for r in [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, 1e19, -1.0, 0.0] {
            assert!(rate(r).len() <= 8, "{}", rate(r));
            assert!(share(r).len() <= 8, "{}", share(r));
        }
        assert_eq!([rate(0.01), rate(14.0), rate(250.4), rate(48_200.0)], ["<0.1", "14.0", "250", "48.2k"]);
        assert_eq!(seconds(Duration::from_millis(12_900)), "12s");
    }
}

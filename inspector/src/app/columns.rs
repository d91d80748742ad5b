//! Which columns of a table are shown, and how wide each is.

use super::Place;
use super::column::{Column, Width};

/// Columns side by side, each with its width.
type Set = Vec<(&'static Column, u16)>;

/// Those that the operator looks at.
pub(crate) fn shown(place: &Place, width: u16) -> Set {
    let mut sets = sets(place, width);
    let at = place.set % sets.len().max(1);
    if sets.is_empty() { Set::new() } else { sets.swap_remove(at) }
}

/// The column whose head is at column `x` of the screen.
pub(crate) fn column_at(place: &Place, width: u16, x: u16) -> Option<&'static Column> {
    let mut end = 0;
    shown(place, width).into_iter().find_map(|(column, width)| {
        end += width + 1;
        (x < end).then_some(column)
    })
}

/// All columns of the place's table, in as many sets as it takes to show each: the first has what matters most, every
/// further one what rows are called and what those before had no room for. What is sorted by is in each.
pub(crate) fn sets(place: &Place, width: u16) -> Vec<Set> {
    let all = place.columns();
    let visible = |n: &usize| !matches!(all[*n].width, Width::Hidden);
    let sorted = (0..all.len()).filter(visible).find(|&n| all[n].id == place.sort);
    let mut left: Vec<usize> = (0..all.len()).filter(visible).collect();
    left.sort_by_key(|&n| if Some(n) == sorted { 0 } else { all[n].priority });
    // What rows are called is the first column that takes room; the marks and the number stand before it.
    let name = (0..all.len()).find(|&n| matches!(all[n].width, Width::Flex(..)));
    let mut names: Vec<usize> = (0..=name.unwrap_or(0)).chain(sorted).filter(visible).collect();
    names.sort_unstable();
    names.dedup();

    let mut sets = Vec::new();
    while !left.is_empty() {
        let mut kept = Vec::new();
        if !sets.is_empty() {
            kept.clone_from(&names);
            left.retain(|n| !names.contains(n));
            if left.is_empty() {
                break;
            }
        }
        let mut used = taken(all, &kept);
        let mut more = 0;
        for &n in &left {
            let together = used + least(&all[n]) + u16::from(used > 0);
            // One at least, however narrow it is; and a less important column that would still fit must not jump the
            // queue of a more important one.
            if together > width && more > 0 {
                break;
            }
            used = together;
            more += 1;
            kept.push(n);
        }
        left.drain(..more);
        kept.sort_unstable();
        sets.push(spread(kept.into_iter().map(|n| (&all[n], least(&all[n]))).collect(), width.saturating_sub(used)));
    }
    sets
}

fn least(column: &Column) -> u16 {
    match column.width {
        Width::Fixed(n) | Width::Flex(n, _) => n,
        Width::Hidden => 0,
    }
}

fn taken(all: &[Column], kept: &[usize]) -> u16 {
    let between = kept.len().saturating_sub(1) as u16;
    kept.iter().map(|&n| least(&all[n])).sum::<u16>() + between
}

/// What is left goes to those that can use it.
fn spread(mut columns: Set, mut spare: u16) -> Set {
    while spare > 0 {
        let mut given = false;
        for (column, width) in &mut columns {
            if let Width::Flex(_, most) = column.width
                && *width < most
                && spare > 0
            {
                *width += 1;
                spare -= 1;
                given = true;
            }
        }
        if !given {
            break;
        }
    }
    columns
}

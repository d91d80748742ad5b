//! Where the operator is: one entry of the way that they came.
use std::collections::HashSet;

use super::column::Column;
use super::filter::Filter;
use super::screen::{Body, Screen};
use super::{Entity, Row};
use crate::model::SiteId;

/// A screen, what it is about, and how the operator has arranged it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) screen: &'static Screen,
    /// What a page is about; `None` on lists.
    pub(crate) subject: Option<Entity>,
    /// The selected row; `None` until the operator has moved, which selects the first.
    pub(crate) selected: Option<Row>,
    /// Where that row stood last, for when it is gone.
    pub(crate) index: usize,
    /// Rows or lines above the first that is shown.
    pub(crate) offset: usize,
    pub(crate) filter: Filter,
    /// The filter as it was typed.
    pub(crate) filter_text: String,
    pub(crate) sort: &'static str,
    pub(crate) reverse: bool,
    /// Which of the sets of columns is shown, where not all fit; counted on without end.
    pub(crate) set: usize,
    /// Tasks, locks and channels: one by one rather than by the line that makes them.
    pub(crate) flat: bool,
    /// The sites whose tasks, locks or channels are shown in place.
    pub(crate) open: HashSet<SiteId>,
}

impl Place {
    pub(crate) fn new(screen: &'static Screen, subject: Option<Entity>) -> Self {
        Self {
            screen,
            subject,
            selected: None,
            index: 0,
            offset: 0,
            filter: Filter::default(),
            filter_text: String::new(),
            sort: match &screen.body {
                Body::Table(table) => table.sort,
                _ => "",
            },
            reverse: false,
            set: 0,
            flat: false,
            open: HashSet::new(),
        }
    }

    /// The columns of its table; none for pages.
    pub(crate) fn columns(&self) -> &'static [Column] {
        match &self.screen.body {
            Body::Table(table) => table.columns,
            _ => &[],
        }
    }
}

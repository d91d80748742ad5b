//! Names that the app gave to what comes from one place.
use super::Site;
use crate::text;

/// So many are told apart; more are said to be more.
const MOST: usize = 8;
/// Characters of a name that are read.
const LENGTH: usize = 48;

/// Names of a site's tasks, or of its oneshot channels.
#[derive(Debug, Clone, Default)]
pub struct GivenNames {
    /// In the order in which they came up.
    names: Vec<String>,
    /// There were others.
    more: bool,
    /// Tasks that are shown one by one and have a name.
    pub(super) named: u64,
}

impl GivenNames {
    /// That one alone; none where it is empty.
    pub(super) fn only(name: &str) -> Self {
        let mut given = Self::default();
        given.add(name);
        given
    }

    /// One more thing goes by this name, if it has one.
    pub(super) fn add(&mut self, name: &str) {
        if name.is_empty() || self.more || self.names.iter().any(|known| known == name) {
            return;
        }
        match self.names.len() {
            MOST => self.more = true,
            _ => self.names.push(name.to_owned()),
        }
    }

    /// Those that are told apart.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl Site {
    /// The name that everything from here was given.
    pub fn shared_name(&self) -> Option<&str> {
        match self.given.names() {
            [name] if self.all_are_named() => Some(name),
            _ => None,
        }
    }

    /// What everything from here goes by: the name that it was given; else its type or the place, and that it has names.
    pub fn title(&self) -> String {
        if let Some(name) = self.shared_name() {
            return text::head(name, LENGTH);
        }
        let title = text::type_or_place(&self.name, &self.location);
        match self.given.names().len() {
            0 => title,
            _ if !self.all_are_named() => title,
            _ if self.given.more => format!("{title} (over {MOST} names)"),
            n => format!("{title} ({n} names)"),
        }
    }

    fn all_are_named(&self) -> bool {
        self.given.named >= self.states.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskState;

    fn site(names: &[&str], tasks: u64) -> Site {
        let mut site = Site { name: "shop::deliver::{{closure}}".into(), ..Site::default() };
        (0..tasks).for_each(|_| site.states.add(TaskState::Idle));
        for name in names {
            site.given.add(name);
            site.given.named += u64::from(!name.is_empty());
        }
        site
    }

    #[test]
    fn tasks_of_one_place_go_by_the_name_that_all_of_them_have() {
        assert_eq!(site(&[], 3).title(), "deliver");
        assert_eq!(site(&["mailer", "mailer"], 2).title(), "mailer");
        assert_eq!(site(&["mailer", "mailer"], 2).shared_name(), Some("mailer"));
        assert_eq!(site(&["a", "b", "a"], 3).title(), "deliver (2 names)");
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(site(&many, 20).title(), "deliver (over 8 names)");
    }

    #[test]
    fn a_task_without_a_name_goes_by_no_other_ones() {
        assert_eq!(site(&["leader"], 10).title(), "deliver");
        assert_eq!(site(&["leader"], 10).shared_name(), None);
        assert_eq!(site(&["a", "b", ""], 3).title(), "deliver");
    }
}

//! Roles, and the colours that a theme gives them. Screens name roles only.

use ratatui::style::{Color, Modifier, Style};

use crate::app::ThemeChoice;
use crate::lints::Severity;

/// What a piece of text is, not how it looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Ordinary text.
    #[default]
    Text,
    /// Headings, and the one figure that matters in a line.
    Strong,
    /// Labels, and what is over.
    Muted,
    /// Keys, links, the current tab.
    Accent,
    /// A fact worth a look.
    Info,
    /// All is well.
    Ok,
    /// Costs something.
    Warn,
    /// Hurts now.
    Crit,
}

impl Role {
    const ALL: [Role; 8] =
        [Role::Text, Role::Strong, Role::Muted, Role::Accent, Role::Info, Role::Ok, Role::Warn, Role::Crit];
}

impl From<Severity> for Role {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warn => Self::Warn,
            Severity::Crit => Self::Crit,
        }
    }
}

/// Styles of the roles.
#[derive(Debug, Clone)]
pub(crate) struct Theme {
    styles: [Style; Role::ALL.len()],
    selected: Style,
}

impl Theme {
    /// The theme of this choice; `colored` false leaves bold, dim and reverse only.
    pub(crate) fn new(choice: ThemeChoice, colored: bool) -> Self {
        let fg = |color| Style::new().fg(color);
        let bold = Modifier::BOLD;
        if !colored {
            let plain = Style::new();
            return Self {
                styles: [
                    plain,
                    plain.add_modifier(bold),
                    plain.add_modifier(Modifier::DIM),
                    plain.add_modifier(bold),
                    plain,
                    plain,
                    plain.add_modifier(bold),
                    plain.add_modifier(bold),
                ],
                selected: plain.add_modifier(Modifier::REVERSED),
            };
        }
        match choice {
            ThemeChoice::Dark => Self {
                styles: [
                    Style::new(),
                    Style::new().add_modifier(bold),
                    fg(Color::Indexed(248)),
                    fg(Color::Indexed(117)),
                    fg(Color::Indexed(80)),
                    fg(Color::Indexed(114)),
                    fg(Color::Indexed(221)),
                    fg(Color::Indexed(210)).add_modifier(bold),
                ],
                selected: Style::new().bg(Color::Indexed(237)),
            },
            ThemeChoice::Light => Self {
                styles: [
                    Style::new(),
                    Style::new().add_modifier(bold),
                    fg(Color::Indexed(241)),
                    fg(Color::Indexed(25)),
                    fg(Color::Indexed(24)),
                    fg(Color::Indexed(22)),
                    fg(Color::Indexed(94)),
                    fg(Color::Indexed(124)).add_modifier(bold),
                ],
                selected: Style::new().bg(Color::Indexed(255)),
            },
        }
    }

    /// How `role` looks.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles[Role::ALL.iter().position(|&r| r == role).unwrap_or(0)]
    }

    /// What is laid over the selected row.
    pub(crate) fn selected(&self) -> Style {
        self.selected
    }
}

/// A theme that no eye should see: each role has the colour of its own number, so that a test can read roles back
/// from a drawn buffer.
#[cfg(test)]
impl Theme {
    pub(crate) fn roles() -> Self {
        let mut styles = [Style::new(); Role::ALL.len()];
        for (n, style) in styles.iter_mut().enumerate().skip(1) {
            *style = Style::new().fg(Color::Indexed(n as u8));
        }
        Self { styles, selected: Style::new().bg(Color::Indexed(255)) }
    }

    /// The letter of the role drawn with this style under [`Theme::roles`]; upper case when selected.
    pub(crate) fn letter(style: Style) -> char {
        let role = match style.fg {
            Some(Color::Indexed(n)) => usize::from(n),
            _ => 0,
        };
        let letter = ['.', 's', 'm', 'a', 'i', 'o', 'w', 'c'][role.min(7)];
        match style.bg {
            Some(Color::Indexed(255)) if letter == '.' => '_',
            Some(Color::Indexed(255)) => letter.to_ascii_uppercase(),
            _ => letter,
        }
    }
}

//! Roles, and the colours that a theme gives them. Screens name roles only.

use ratatui::style::{Color, Modifier, Style};

use super::{Depth, ThemeChoice};
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
    pub(crate) const ALL: [Role; 8] =
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

/// One colour at each depth.
#[derive(Debug, Clone, Copy)]
struct Tint {
    rgb: (u8, u8, u8),
    indexed: u8,
    named: Color,
}

const fn tint(rgb: u32, indexed: u8, named: Color) -> Tint {
    Tint { rgb: ((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8), indexed, named }
}

impl Tint {
    fn at(self, depth: Depth) -> Option<Color> {
        match depth {
            Depth::None => None,
            Depth::Sixteen => Some(self.named),
            Depth::Indexed => Some(Color::Indexed(self.indexed)),
            Depth::True => Some(Color::Rgb(self.rgb.0, self.rgb.1, self.rgb.2)),
        }
    }
}

/// The colours of one theme. Text that has none is the terminal's own.
struct Palette {
    muted: Tint,
    accent: Tint,
    info: Tint,
    ok: Tint,
    warn: Tint,
    crit: Tint,
    /// Behind the selected row.
    selected: Tint,
    /// What the terminal's own background and text are taken to be, in tests of contrast and in pictures.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the terminal has is the terminal's own"))]
    ground: (u8, u8, u8),
    #[cfg_attr(not(test), expect(dead_code, reason = "the same"))]
    text: (u8, u8, u8),
}

const DARK: Palette = Palette {
    muted: tint(0xa8_a8_a8, 248, Color::Gray),
    accent: tint(0x87_d7_ff, 117, Color::LightBlue),
    info: tint(0x5f_d7_d7, 80, Color::Cyan),
    ok: tint(0x87_d7_87, 114, Color::Green),
    warn: tint(0xff_d7_5f, 221, Color::Yellow),
    crit: tint(0xff_87_87, 210, Color::LightRed),
    selected: tint(0x3a_3a_3a, 237, Color::DarkGray),
    ground: (0x12, 0x12, 0x16),
    text: (0xe4, 0xe4, 0xe4),
};

const LIGHT: Palette = Palette {
    muted: tint(0x5a_5a_5a, 240, Color::DarkGray),
    accent: tint(0x00_5f_af, 25, Color::Blue),
    info: tint(0x00_5f_87, 24, Color::Blue),
    ok: tint(0x00_5f_00, 22, Color::Black),
    warn: tint(0x7a_4a_00, 94, Color::Magenta),
    crit: tint(0xaf_00_00, 124, Color::Red),
    selected: tint(0xe4_e4_e4, 254, Color::Gray),
    ground: (0xff, 0xff, 0xff),
    text: (0x1c, 0x1c, 0x1c),
};

const HIGH_CONTRAST: Palette = Palette {
    muted: tint(0xd0_d0_d0, 252, Color::Gray),
    accent: tint(0x00_ff_ff, 51, Color::LightCyan),
    info: tint(0x00_ff_ff, 51, Color::LightCyan),
    ok: tint(0x00_ff_00, 46, Color::LightGreen),
    warn: tint(0xff_ff_00, 226, Color::LightYellow),
    crit: tint(0xff_87_87, 210, Color::LightRed),
    selected: tint(0x00_00_87, 18, Color::Blue),
    ground: (0x00, 0x00, 0x00),
    text: (0xff, 0xff, 0xff),
};

/// Blue, orange and pale yellow: apart for eyes without red, green or blue cones by hue or by lightness.
const COLOR_BLIND: Palette = Palette {
    muted: tint(0xa8_a8_a8, 248, Color::Gray),
    accent: tint(0x56_b4_e9, 74, Color::LightBlue),
    info: tint(0x87_af_ff, 111, Color::Cyan),
    ok: tint(0x5f_d7_ff, 81, Color::Cyan),
    warn: tint(0xff_ff_af, 229, Color::LightYellow),
    crit: tint(0xff_87_00, 208, Color::LightRed),
    selected: tint(0x3a_3a_3a, 237, Color::DarkGray),
    ground: (0x12, 0x12, 0x16),
    text: (0xe4, 0xe4, 0xe4),
};

fn palette(choice: ThemeChoice) -> &'static Palette {
    match choice {
        ThemeChoice::Dark => &DARK,
        ThemeChoice::Light => &LIGHT,
        ThemeChoice::HighContrast => &HIGH_CONTRAST,
        ThemeChoice::ColorBlind => &COLOR_BLIND,
    }
}

/// Styles of the roles.
#[derive(Debug, Clone)]
pub(crate) struct Theme {
    styles: [Style; Role::ALL.len()],
    selected: Style,
}

impl Theme {
    /// The theme of this choice for a terminal with so many colours.
    pub(crate) fn new(choice: ThemeChoice, depth: Depth) -> Self {
        let colors = palette(choice);
        let bold = Modifier::BOLD;
        let styles = Role::ALL.map(|role| {
            let (tint, modifier) = match role {
                Role::Text => (None, Modifier::empty()),
                Role::Strong => (None, bold),
                Role::Muted if depth == Depth::None => (None, Modifier::DIM),
                Role::Muted => (Some(colors.muted), Modifier::empty()),
                Role::Accent | Role::Warn if depth == Depth::None => (None, bold),
                Role::Accent => (Some(colors.accent), Modifier::empty()),
                Role::Info => (Some(colors.info), Modifier::empty()),
                Role::Ok => (Some(colors.ok), Modifier::empty()),
                Role::Warn => (Some(colors.warn), Modifier::empty()),
                Role::Crit => (Some(colors.crit), bold),
            };
            let style = Style::new().add_modifier(modifier);
            tint.and_then(|t| t.at(depth)).map_or(style, |color| style.fg(color))
        });
        let selected = match depth {
            // The sixteen are the operator's own: any two of them may be alike, a swap never is.
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::REVERSED),
            _ => colors.selected.at(depth).map_or_else(Style::new, |color| Style::new().bg(color)),
        };
        Self { styles, selected }
    }

    /// How `role` looks.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles[Role::ALL.iter().position(|&r| r == role).unwrap_or(0)]
    }

    /// What is laid over the selected row.
    pub(crate) fn selected(&self) -> Style {
        self.selected
    }

    /// The background and the text that a terminal with this theme is taken to have.
    #[cfg(test)]
    pub(crate) fn ground(choice: ThemeChoice) -> ((u8, u8, u8), (u8, u8, u8)) {
        let colors = palette(choice);
        (colors.ground, colors.text)
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

#[cfg(test)]
mod tests {
    use super::*;

    type Rgb = (u8, u8, u8);

    /// Relative luminance, as WCAG 2 defines it.
    fn luminance((r, g, b): Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// xterm's colour of that number.
    fn xterm(index: u8) -> Rgb {
        let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        match index {
            0..16 => panic!("the first sixteen are whatever the operator has set"),
            16..232 => {
                let n = index - 16;
                (step(n / 36), step(n / 6 % 6), step(n % 6))
            }
            232.. => {
                let grey = 8 + 10 * (index - 232);
                (grey, grey, grey)
            }
        }
    }

    fn rgb(color: Option<Color>, none: Rgb) -> Rgb {
        match color {
            Some(Color::Rgb(r, g, b)) => (r, g, b),
            Some(Color::Indexed(n)) => xterm(n),
            None => none,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_role_can_be_read_on_its_ground_and_on_the_selected_row() {
        for &(name, choice) in ThemeChoice::ALL {
            let (ground, text) = Theme::ground(choice);
            for depth in [Depth::Indexed, Depth::True] {
                let theme = Theme::new(choice, depth);
                for role in Role::ALL {
                    let ink = rgb(theme.style(role).fg, text);
                    let behind = rgb(theme.selected().bg, ground);
                    for (what, ground) in [("its ground", ground), ("the selected row", behind)] {
                        let ratio = contrast(ink, ground);
                        assert!(ratio >= 4.5, "{name} {depth:?}: {role:?} on {what} has {ratio:.2}:1");
                    }
                    if choice == ThemeChoice::HighContrast {
                        assert!(contrast(ink, ground) >= 7.0, "{role:?}");
                    }
                }
            }
        }
    }

    /// What eyes see that lack one kind of cones: the colours of Viénot, Brettel and Mollon, 1999 (for the third kind, a
    /// linear model of the same form).
    const EYES: [[[f64; 3]; 3]; 3] = [
        [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]],
        [[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.022, 0.022, 1.0]],
        [[1.0, 0.127, -0.127], [0.0, 0.873, 0.127], [0.0, 0.873, 0.127]],
    ];

    #[test]
    fn severities_stay_apart_for_colour_blind_eyes() {
        let (_, text) = Theme::ground(ThemeChoice::ColorBlind);
        let theme = Theme::new(ThemeChoice::ColorBlind, Depth::True);
        for eyes in EYES {
            let seen = |role| {
                let (r, g, b) = rgb(theme.style(role).fg, text);
                let lit = [r, g, b].map(|c| (f64::from(c) / 255.0).powf(2.2));
                eyes.map(|row| row.iter().zip(lit).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
            };
            let roles = [Role::Crit, Role::Warn, Role::Info];
            for (n, &one) in roles.iter().enumerate() {
                for &two in &roles[..n] {
                    let apart: f64 = seen(one).iter().zip(seen(two)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 0.25, "{one:?} and {two:?} are {apart:.2} apart");
                }
            }
        }
    }

    #[test]
    fn of_sixteen_colours_only_those_are_used_and_severities_differ() {
        for &(name, choice) in ThemeChoice::ALL {
            let theme = Theme::new(choice, Depth::Sixteen);
            let inks = Role::ALL.map(|role| theme.style(role).fg);
            let behind = theme.selected().bg;
            for color in inks.into_iter().chain([behind]).flatten() {
                assert!(!matches!(color, Color::Rgb(..) | Color::Indexed(_)), "{name}: {color:?}");
            }
            let of = |role| theme.style(role).fg;
            let severities = [of(Role::Crit), of(Role::Warn), of(Role::Info), of(Role::Text)];
            for (n, one) in severities.iter().enumerate() {
                assert!(!severities[..n].contains(one), "{name}: {severities:?}");
            }
        }
    }

    #[test]
    fn without_colours_nothing_is_coloured_and_crit_is_not_plain() {
        let theme = Theme::new(ThemeChoice::Dark, Depth::None);
        for role in Role::ALL {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
        }
        assert_ne!(theme.style(Role::Crit), theme.style(Role::Text));
        assert_ne!(theme.selected(), Style::new());
    }
}

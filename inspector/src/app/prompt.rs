//! The line in which a filter or a command is typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::filter::{Filter, FilterError};
use super::palette::{self, Command};
use super::{App, complete, derived};

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptKind {
    /// A filter. What is understood takes effect at once; what is not says why.
    Filter,
    /// The name of something to do; which of those that fit is lit.
    Palette(usize),
}

/// The line being typed.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) kind: PromptKind,
    pub(crate) input: Input,
    pub(crate) error: Option<FilterError>,
    /// What to go back to.
    before: String,
}

impl Prompt {
    pub(crate) fn filter(text: &str) -> Self {
        let kind = PromptKind::Filter;
        Self { kind, input: Input::new(text.to_owned()), error: None, before: text.to_owned() }
    }

    pub(crate) fn palette() -> Self {
        Self { kind: PromptKind::Palette(0), input: Input::default(), error: None, before: String::new() }
    }
}

/// Takes a key while the prompt is open; returns what to do now.
pub(crate) fn key(app: &mut App, event: KeyEvent) -> Option<Command> {
    match app.prompt.as_ref()?.kind {
        PromptKind::Filter => {
            filter_key(app, event);
            None
        }
        PromptKind::Palette(lit) => palette_key(app, event, lit),
    }
}

fn palette_key(app: &mut App, event: KeyEvent, lit: usize) -> Option<Command> {
    let text = app.prompt.as_ref()?.input.value().to_owned();
    let entries = palette::entries(app, &text);
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let last = entries.len().saturating_sub(1);
    let next = match event.code {
        KeyCode::Esc => {
            app.prompt = None;
            return None;
        }
        KeyCode::Enter => {
            app.prompt = None;
            return entries.get(lit).map(|entry| entry.command);
        }
        KeyCode::Down | KeyCode::Tab => Some(if lit >= last { 0 } else { lit + 1 }),
        KeyCode::Up | KeyCode::BackTab => Some(if lit == 0 { last } else { lit - 1 }),
        KeyCode::Char('n') if ctrl => Some((lit + 1).min(last)),
        KeyCode::Char('p') if ctrl => Some(lit.saturating_sub(1)),
        KeyCode::Backspace if text.is_empty() => {
            app.prompt = None;
            return None;
        }
        _ => None,
    };
    let prompt = app.prompt.as_mut()?;
    if let Some(next) = next {
        prompt.kind = PromptKind::Palette(next);
    } else if let Some(request) = request(event, prompt) {
        prompt.input.handle(request);
        prompt.kind = PromptKind::Palette(0);
    }
    None
}

/// What an ordinary key does to the line.
fn request(event: KeyEvent, prompt: &Prompt) -> Option<InputRequest> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('u') if ctrl => InputRequest::DeleteLine,
        KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
        KeyCode::Char('a') if ctrl => InputRequest::GoToStart,
        KeyCode::Char('e') if ctrl => InputRequest::GoToEnd,
        KeyCode::Char(_) if ctrl => return None,
        KeyCode::Char(c) if prompt.input.value().len() < 500 => InputRequest::InsertChar(c),
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}

fn filter_key(app: &mut App, event: KeyEvent) {
    let Some(prompt) = &mut app.prompt else { return };
    match event.code {
        KeyCode::Enter => {
            if prompt.error.is_none() {
                app.prompt = None;
            }
            return;
        }
        KeyCode::Esc => {
            let before = prompt.before.clone();
            app.prompt = None;
            apply(app, &before);
            return;
        }
        KeyCode::Backspace if prompt.input.value().is_empty() => {
            app.prompt = None;
            return;
        }
        KeyCode::Tab => {
            let text = prompt.input.value().to_owned();
            let Some(completed) = complete::complete(&app.cx(), app.place(), &text) else { return };
            if let Some(prompt) = &mut app.prompt {
                prompt.input = Input::new(completed);
            }
        }
        _ => {
            let Some(request) = request(event, prompt) else { return };
            prompt.input.handle(request);
        }
    }
    let Some(prompt) = &app.prompt else { return };
    let text = prompt.input.value().to_owned();
    apply(app, &text);
    // Half of a field's name is text that nothing contains: while the whole is no filter, the rows are those of before.
    if let Some(prompt) = &app.prompt
        && let Some(error) = prompt.error.clone()
    {
        let before = prompt.before.clone();
        apply(app, &before);
        if let Some(prompt) = &mut app.prompt {
            prompt.error = Some(error);
        }
    }
}

/// Filters the place in front by `text`, if it can be understood.
pub(crate) fn apply(app: &mut App, text: &str) {
    let place = app.place_mut();
    let error = match Filter::parse(text, place.columns()) {
        Ok(filter) => {
            place.filter = filter;
            text.clone_into(&mut place.filter_text);
            None
        }
        Err(error) => Some(error),
    };
    let understood = error.is_none();
    if let Some(prompt) = &mut app.prompt {
        prompt.error = error;
    }
    if understood {
        derived::refresh(app);
    }
}

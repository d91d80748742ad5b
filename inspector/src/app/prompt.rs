//! The line in which a filter is typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::filter::{Filter, FilterError};
use super::{App, derived};

/// A filter being typed. What is understood takes effect at once; what is not says why.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) input: Input,
    pub(crate) error: Option<FilterError>,
    /// What to go back to.
    before: String,
}

impl Prompt {
    pub(crate) fn new(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()), error: None, before: text.to_owned() }
    }
}

/// Takes a key while the prompt is open.
pub(crate) fn key(app: &mut App, event: KeyEvent) {
    let Some(prompt) = &mut app.prompt else { return };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let request = match event.code {
        KeyCode::Enter => {
            if prompt.error.is_none() {
                app.prompt = None;
                if app.refresh_due {
                    derived::refresh(app);
                }
            }
            return;
        }
        KeyCode::Esc => {
            let before = prompt.before.clone();
            app.prompt = None;
            apply(app, &before);
            return;
        }
        KeyCode::Char('u') if ctrl => InputRequest::DeleteLine,
        KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
        KeyCode::Char('a') if ctrl => InputRequest::GoToStart,
        KeyCode::Char('e') if ctrl => InputRequest::GoToEnd,
        KeyCode::Char(_) if ctrl => return,
        KeyCode::Char(c) if prompt.input.value().len() < 500 => InputRequest::InsertChar(c),
        KeyCode::Backspace if prompt.input.value().is_empty() => {
            app.prompt = None;
            return;
        }
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return,
    };
    prompt.input.handle(request);
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
        // Of a million tasks each key would cost a second: the rows come when the typing pauses.
        if app.prompt.is_some() && app.cx().model.tasks.len() > derived::MANY_TASKS {
            app.refresh_due = true;
            app.moved_at = app.clock;
        } else {
            derived::refresh(app);
        }
    }
}

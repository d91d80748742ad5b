//! `async-inspect config`.

use super::args::ConfigWhat;
use super::failure::{Failure, say};
use super::print;
use crate::config::{self, Config};

pub(super) fn run(what: ConfigWhat) -> Result<u8, Failure> {
    match what {
        ConfigWhat::Path => {
            let Some(path) = config::path() else {
                let next_step = format!("set {} to the path of a file", config::VARIABLE);
                return Err(Failure::usage("this system has no place for config files", &next_step));
            };
            print(&format!("{}\n", path.display()))?;
            if !path.exists() {
                let folder = path.parent().unwrap_or(&path).display();
                let path = path.display();
                say(format_args!("There is none yet: mkdir -p {folder} && async-inspect config default > {path}"));
            }
        }
        ConfigWhat::Default => print(&config::default_text())?,
        ConfigWhat::Show => print(&config::in_force(&Config::load()?))?,
    }
    Ok(0)
}

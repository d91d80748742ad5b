//! The whole state as a file, for whoever looks at it in the morning.
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::lints::Finding;
use crate::model::Model;
use crate::report::{self, Silenced};

/// Writes the state into a new file here, or where temporary files go when nothing can be written here. Returns its
/// path, or why there is none.
pub(super) fn write(model: &Model, findings: &[Finding], silenced: &Silenced) -> Result<String, String> {
    let name = file_name(&model.target.app, model.target.pid, &jiff::Zoned::now());
    let here = std::env::current_dir().unwrap_or_default();
    let made = create(&here, &name).or_else(|_| create(&std::env::temp_dir(), &name));
    let (path, file) = made.map_err(|error| error.to_string())?;
    let mut out = BufWriter::new(file);
    let written = report::snapshot_json(model, findings, silenced, &mut out).and_then(|()| out.flush());
    written.map(|()| path.display().to_string()).map_err(|error| format!("{}: {error}", path.display()))
}

/// Nothing that is there already is written over.
fn create(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let path = folder.join(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    Ok((path, file))
}

/// The target chooses its own name: only what is harmless in a file's name stays of it.
fn file_name(app: &str, pid: u32, now: &jiff::Zoned) -> String {
    let app: String = app.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
    format!("async-inspect-{app}-{pid}-{}.json", now.strftime("%Y%m%d-%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_does_not_choose_where_the_file_goes() {
        let now = jiff::Zoned::new(jiff::Timestamp::UNIX_EPOCH, jiff::tz::TimeZone::UTC);
        assert_eq!(file_name("../../etc/pass wd", 7, &now), "async-inspect-etcpasswd-7-19700101-000000.json");
    }

    #[test]
    fn the_file_holds_the_state_and_is_never_written_over() {
        let folder = std::env::temp_dir().join(format!("async-inspect-export-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, mut file) = create(&folder, "one.json").unwrap();
        let model = crate::app::fixture::model();
        report::snapshot_json(&model, &crate::app::fixture::findings(), &Silenced::default(), &mut file).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(read["target"]["pid"], 4242);
        assert_eq!(create(&folder, "one.json").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

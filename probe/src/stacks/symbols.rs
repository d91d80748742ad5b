//! From addresses to functions and lines, and which of them are the user's.
use super::{Frame, modules::Modules};
use crate::recorder::Recorder;

/// Frames told of one stack.
const MAX_FRAMES: usize = 48;

/// The frames of a stack.
pub(super) fn frames(addresses: &[u64], modules: &mut Modules, recorder: &'static Recorder) -> Vec<Frame> {
    let mut frames = Vec::new();
    for &address in addresses {
        frames_at(address, modules, &mut frames);
    }
    let root = source_root(&frames, recorder);
    for frame in &mut frames {
        if let Some(inside) = root.as_deref().and_then(|root| frame.file.strip_prefix(root)) {
            frame.file = inside.to_owned();
        }
    }
    frames
}

fn frames_at(address: u64, modules: &mut Modules, into: &mut Vec<Frame>) {
    let Some((loader, address)) = modules.symbols(address) else { return };
    let before = into.len();
    if let Ok(mut found) = loader.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let function = frame.function.and_then(|name| Some(name.demangle().ok()?.into_owned()));
            let (file, line, column) = frame.location.map_or(("", 0, 0), |at| {
                (at.file.unwrap_or_default(), at.line.unwrap_or_default(), at.column.unwrap_or_default())
            });
            into.push(frame_of(&function.unwrap_or_default(), file, line, column));
        }
    }
    let nameless = into[before..].iter().all(|frame| frame.function.is_empty());
    if let (true, Some(symbol)) = (nameless, loader.find_symbol(address)) {
        into.truncate(before);
        into.push(frame_of(&format!("{:#}", rustc_demangle::demangle(symbol)), "", 0, 0));
    }
}

fn frame_of(function: &str, file: &str, line: u32, column: u32) -> Frame {
    let function = readable(function);
    let user = is_users(&function, file);
    Frame { function, file: file.to_owned(), line, column, user }
}

/// `shop::checkout::{async_fn#0}::h0123456789abcdef` is `shop::checkout` to a reader.
fn readable(function: &str) -> String {
    let name = function.rsplit_once("::h").map_or(function, |(name, hash)| {
        if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) { name } else { function }
    });
    let mut name = name.to_owned();
    loop {
        let shorter = ["::{{closure}}", "::{closure}"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .or_else(|| {
                let (before, last) = name.rsplit_once("::{")?;
                let generated = ["async_fn#", "async_block#", "closure#", "async_closure#", "async_fn_env#", "closure_env#"];
                (last.ends_with('}') && generated.iter().any(|kind| last.starts_with(kind))).then_some(before)
            })
            .map(str::to_owned);
        match shorter {
            Some(shorter) => name = shorter,
            None => return name,
        }
    }
}

/// Code from the standard library lies under `/rustc/` or a toolchain's folder, dependencies under a registry or a git
/// checkout of Cargo's.
fn is_users(function: &str, file: &str) -> bool {
    const NOT_THEIRS: [&str; 6] =
        ["/rustc/", "/.cargo/registry/", "/.cargo/git/", "/rustlib/src/", "/registry/src/", "/git/checkouts/"];
    const RUNTIMES: [&str; 6] = ["core::", "std::", "alloc::", "tokio::", "async_inspect_probe::", "async_inspect_tokio::"];
    let plain = function.trim_start_matches(['<', '&']);
    !file.is_empty()
        && !NOT_THEIRS.iter().any(|part| file.contains(part))
        && !RUNTIMES.iter().any(|part| plain.starts_with(part))
}

/// What stands before the paths that `Location::caller()` gives, which are as the compiler was given them, in the debug
/// information, which has them whole: so that both name a file the same way.
fn source_root(frames: &[Frame], recorder: &'static Recorder) -> Option<String> {
    let files: Vec<&str> = recorder.sites.all().map(|site| site.info.location.file()).collect();
    frames.iter().filter(|frame| frame.user).find_map(|frame| {
        files.iter().find_map(|file| {
            let root = frame.file.strip_suffix(file)?;
            root.ends_with('/').then(|| root.to_owned())
        })
    })
}

/// A stack cut to what a reader needs: from where the thread is down to the runtime's loop.
pub(super) fn trimmed(mut frames: Vec<Frame>) -> Vec<Frame> {
    if let Some(poll) = frames.iter().position(|frame| frame.function.contains("recorder::task::Tracked")) {
        frames.truncate(poll);
    }
    frames.truncate(MAX_FRAMES);
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_goes_by_the_name_that_its_author_gave_it() {
        assert_eq!(readable("shop::checkout::{async_fn#0}"), "shop::checkout");
        assert_eq!(readable("shop::checkout::{{closure}}"), "shop::checkout");
        assert_eq!(readable("shop::main::{closure#0}::{async_block#1}"), "shop::main");
        assert_eq!(readable("shop::checkout::h0123456789abcdef"), "shop::checkout");
        assert_eq!(readable("shop::hash::hashing"), "shop::hash::hashing");
    }

    #[test]
    fn the_users_code_is_told_from_the_rest() {
        assert!(is_users("shop::checkout", "/home/me/shop/src/main.rs"));
        assert!(is_users("shop::checkout", "src/main.rs"));
        assert!(!is_users("core::ptr::read", "/rustc/abc/library/core/src/ptr/mod.rs"));
        assert!(!is_users("serde_json::to_string", "/home/me/.cargo/registry/src/x/serde_json-1.0/src/ser.rs"));
        assert!(!is_users("<async_inspect_probe::x as core::future::Future>::poll", "probe/src/x.rs"));
        assert!(!is_users("nanosleep", ""));
    }
}

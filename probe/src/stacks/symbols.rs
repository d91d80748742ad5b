//! From addresses to functions and lines, and which of them are the user's.
use super::{Frame, modules::Modules};
use crate::recorder::Recorder;

/// What stands for an `async fn` or block that the debug information does not name.
const NAMELESS: &str = "(async fn or block)";
/// Frames told of one stack.
const MAX_FRAMES: usize = 48;

/// The frames of a stack, down to the poll of the task's. A root's poll may be within another task's, in `block_in_place`
/// say, so its stack goes on.
pub(super) fn frames(addresses: &[u64], is_root: bool, modules: &mut Modules, recorder: &'static Recorder) -> Vec<Frame> {
    let mut frames = Vec::new();
    for &address in addresses {
        frames_at(address, modules, &mut frames);
        // What lies below is the runtime's, the same in every stack, and takes as long to name as all the rest.
        let end = if is_root { runtimes_poll(&frames) } else { task_poll(&frames) };
        if end < frames.len() {
            frames.truncate(end);
            break;
        }
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
    // Debug information that is line tables only has names without their modules; the symbol of the outermost function
    // has them.
    if let Some(symbol) = loader.find_symbol(address) {
        let symbol = format!("{:#}", rustc_demangle::demangle(symbol));
        if into.len() == before {
            into.push(frame_of(&symbol, "", 0, 0));
        } else if let Some(outermost) = into.last_mut() {
            *outermost = frame_of(&symbol, &outermost.file, outermost.line, outermost.column);
        }
    }
}

fn frame_of(function: &str, file: &str, line: u32, column: u32) -> Frame {
    let body = is_body(function);
    let function = readable(function);
    let user = is_users(&function, file);
    Frame { function, file: file.to_owned(), line, column, user, body }
}

/// Whether the function as the compiler names it is the body of an `async fn` or block, or of a closure, which not every
/// name tells apart.
fn is_body(function: &str) -> bool {
    ["{async_", "{{closure}}", "{closure#"].iter().any(|kind| function.contains(kind))
}

/// `shop::checkout::{async_fn#0}<T>::h0123456789abcdef` is `shop::checkout` to a reader.
fn readable(function: &str) -> String {
    let name = function.rsplit_once("::h").map_or(function, |(name, hash)| {
        if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) { name } else { function }
    });
    let name = without_arguments(name);
    let mut name = name.as_str();
    while let Some((before, last)) = name.rsplit_once("::{") {
        const GENERATED: [&str; 4] = ["async_", "closure", "{closure", "impl#"];
        if !last.ends_with('}') || !GENERATED.iter().any(|kind| last.starts_with(kind)) {
            break;
        }
        name = before;
    }
    if name.starts_with("{async_") { NAMELESS.to_owned() } else { name.to_owned() }
}

/// The name without its generic arguments: those in `<…>` after a name, not the type in `<T as Trait>::method`.
fn without_arguments(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut depth = 0_u32;
    let mut previous = ' ';
    for c in name.chars() {
        match c {
            '<' if depth > 0 => depth += 1,
            '<' if previous.is_alphanumeric() || matches!(previous, '_' | ':' | '}') => depth = 1,
            // An arrow in a function's type closes nothing.
            '>' if depth > 0 && previous != '-' => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    out.truncate(out.trim_end_matches(':').len());
    // What is left of `module::<impl Trait for Type>::method`.
    out.replace("::::", "::")
}

/// Code from the standard library lies under `/rustc/` or a toolchain's folder, what it depends on under `/rust/deps/`, dependencies under a registry or a git
/// checkout of Cargo's.
fn is_users(function: &str, file: &str) -> bool {
    const NOT_THEIRS: [&str; 7] = [
        "/rustc/",
        "/rust/deps/",
        "/.cargo/registry/",
        "/.cargo/git/",
        "/rustlib/src/",
        "/registry/src/",
        "/git/checkouts/",
    ];
    const RUNTIMES: [&str; 10] = [
        "core::",
        "std::",
        "alloc::",
        "tokio::",
        "async_inspect_probe::tokio::",
        "async_inspect_probe::recorder::",
        "async_inspect_probe::layer::",
        "async_inspect_probe::stacks::copied::",
        "async_inspect_probe::stacks::looking::",
        "async_inspect_probe::stacks::moments::",
    ];
    // A program may have the probe by its path, and what it wraps is inlined into the program's own functions.
    const WRAPS: [&str; 8] = [
        "/src/tokio/",
        "/src/tokio_util/",
        "/src/tokio_stream/",
        "/src/recorder/",
        "/src/layer/",
        "/src/stacks/copied.rs",
        "/src/stacks/looking.rs",
        "/src/stacks/moments.rs",
    ];
    let wrapper = |file: &str| {
        let inside = file.strip_prefix(env!("CARGO_MANIFEST_DIR"));
        inside.is_some_and(|inside| WRAPS.iter().any(|part| inside.starts_with(part)) && !inside.contains("/tests/"))
    };
    let plain = function.trim_start_matches(['<', '&']);
    !file.is_empty()
        && !wrapper(file)
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

/// A stack cut to what a reader needs. `future` is the type of the task's own.
pub(super) fn trimmed(mut frames: Vec<Frame>, future: &str) -> Vec<Frame> {
    // Line tables alone do not name a future whose poll was inlined; the outermost one is known all the same.
    if let Some(outermost) = frames.last_mut().filter(|frame| frame.function == NAMELESS) {
        outermost.function = readable(future);
    }
    frames.truncate(MAX_FRAMES);
    frames
}

/// Leaves out the innermost frames, in which a waker is cloned.
pub(super) fn without_waker(frames: &mut Vec<Frame>) {
    const CLONING: [&str; 4] =
        ["::stacks::copied::", "::stacks::looking::", "::recorder::waker::", "core::task::wake::Waker"];
    // Line tables alone do not say whose `clone` was inlined.
    let wakers = |frame: &Frame| frame.file.ends_with("core/src/task/wake.rs");
    let cloning = |frame: &Frame| wakers(frame) || CLONING.iter().any(|part| frame.function.contains(part));
    // Further out there is the poll of the task, which lends it.
    let near = frames.len().min(8);
    let inner = frames[..near].iter().rposition(cloning).map_or(0, |last| last + 1);
    frames.drain(..inner);
}

/// How many frames belong to the task: those above the poll that the probe or the runtime made, however much of it was
/// inlined.
pub(super) fn task_poll(frames: &[Frame]) -> usize {
    let ours = |frame: &Frame| {
        frame.function.contains("recorder::poll::Tracked")
            || (frame.file.ends_with("src/recorder/poll.rs") && frame.function.contains("poll"))
    };
    frames.iter().position(ours).unwrap_or(frames.len()).min(runtimes_poll(frames))
}

/// The same by the runtime's poll alone, of which a root has none.
fn runtimes_poll(frames: &[Frame]) -> usize {
    let tokios = |frame: &Frame| frame.function.contains("tokio::runtime::task::raw::poll");
    frames.iter().position(tokios).unwrap_or(frames.len())
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
        assert_eq!(readable("checkout<fn(u8) -> u8, alloc::vec::Vec<u8>>"), "checkout");
        assert_eq!(readable("core::ptr::drop_in_place::<u8>"), "core::ptr::drop_in_place");
        assert_eq!(readable("<shop::Cart<u8> as core::ops::Drop>::drop"), "<shop::Cart as core::ops::Drop>::drop");
        assert_eq!(readable("{async_fn#0}<u8>"), NAMELESS);
    }

    #[test]
    fn the_users_code_is_told_from_the_rest() {
        assert!(is_users("shop::checkout", "/home/me/shop/src/main.rs"));
        assert!(is_users("shop::checkout", "src/main.rs"));
        assert!(!is_users("core::ptr::read", "/rustc/abc/library/core/src/ptr/mod.rs"));
        assert!(!is_users("serde_json::to_string", "/home/me/.cargo/registry/src/x/serde_json-1.0/src/ser.rs"));
        assert!(!is_users(
            "<async_inspect_probe::recorder::poll::Tracked as core::future::Future>::poll",
            "probe/src/x.rs"
        ));
        assert!(!is_users("nanosleep", ""));
        let probes = |file| is_users("poll", &format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR")));
        assert!(!probes("tokio/select.rs") && !probes("layer/tell.rs") && probes("tokio/tests/holds.rs"));
    }
}

//! Nothing of tokio's `sync`, `task`, `time` and `runtime` is missing in the drop-in or looks otherwise there, and nothing of
//! tokio-util and tokio-stream in theirs. What is not wrapped is tokio's own by a glob; what is wrapped has every method and
//! every trait of tokio's type, with the same signatures and bounds, as tokio's source says; and which is which is in a list.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]

mod api;
mod expand;
mod normal;
mod wrapped;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use api::{Api, Function, Of};

/// What wrapped types do without, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("Drop", "what is held is given back by a field of the wrapper"),
    ("PinnedDrop", "as `Drop`"),
    ("Send", "as `auto_traits` tests"),
    ("Sync", "as `auto_traits` tests"),
    ("Unpin", "as `auto_traits` tests"),
    ("UnwindSafe", "as `auto_traits` tests"),
    ("RefUnwindSafe", "as `auto_traits` tests"),
];

/// What differs on purpose, and why.
const DIFFERS: &[(&str, &str)] = &[
    (
        "tokio-util::future::FutureExt::with_cancellation_token",
        "tokio-util's future is of a private module: it has no name that a program could use",
    ),
    ("tokio-util::future::FutureExt::with_cancellation_token_owned", "as the one above"),
    ("tokio::runtime::Handle::Overflow", "of a private type of that name"),
    ("tokio::runtime::Handle::Wake", "as the one above"),
    ("tokio::task::JoinHandle::Future", "it says `Result<T, JoinError>` where tokio has an alias for that"),
];

/// What takes or gives tokio's own type although there is a wrapper of it, and why.
const UNWRAPPED: &[(&str, &str)] = &[(
    "tokio-stream::stream_ext::StreamExt::timeout_repeating",
    "a trait of our own would make `next` ambiguous where tokio-stream's is in scope too; `Interval::into_inner` leads there, as \
     the docs say",
)];

/// What has no values of its own.
const NO_TYPES: &[&str] = &["future::FutureExt", "context::RuntimeExt"];

/// What is looked at of each crate that there is a drop-in for: of tokio, the modules that have wrappers.
const CRATES: [(&str, &[&str]); 3] =
    [("tokio", &["sync", "task", "time", "runtime"]), ("tokio-util", &["."]), ("tokio-stream", &["."])];

/// Where a crate's source is.
fn source(package: &str) -> PathBuf {
    let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Of other platforms not everything need be here.
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|found| found["name"] == package && found["source"].is_string()).unwrap();
    Path::new(found["manifest_path"].as_str().unwrap()).parent().unwrap().join("src")
}

/// Read once for all tests.
static PAIRS: LazyLock<[Pair; 3]> = LazyLock::new(|| CRATES.map(Pair::read));

/// A crate as it is, and its drop-in.
struct Pair {
    package: &'static str,
    theirs: Api,
    ours: Api,
}

impl Pair {
    fn read((package, parts): (&'static str, &[&str])) -> Self {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(package.replace('-', "_"));
        Self { package, theirs: Api::read(package, &source(package), parts), ours: Api::read(package, &ours, &["."]) }
    }

    /// Types of the drop-in's own, with tokio's.
    fn wrapped(&self) -> impl Iterator<Item = (&str, &Of, &Of)> {
        self.theirs.types.iter().filter(|(_, theirs)| theirs.declared.is_some()).filter_map(|(path, theirs)| {
            let ours = self.ours.types.get(path).filter(|ours| ours.declared.is_some())?;
            Some((path.as_str(), ours, theirs))
        })
    }

    /// How many items were compared, and what differs: where, and in what.
    fn differences(&self) -> (usize, Vec<(String, String)>) {
        let (mut compared, mut differ) = (0, Vec::new());
        for (path, ours, theirs) in self.wrapped() {
            let mut say = |at: &str, what: String| differ.push((format!("{}::{at}", self.package), what));
            compared += 1 + theirs.methods.len();
            if ours.declared != theirs.declared {
                say(path, format!("theirs {:?}, ours {:?}", theirs.declared, ours.declared));
            }
            if theirs.must_use && !ours.must_use {
                say(path, "does not ask to be used".to_owned());
            }
            for (name, method) in &theirs.methods {
                compare(&format!("{path}::{name}"), method, ours.methods.get(name), &mut say);
            }
            for (name, impls) in &theirs.traits {
                if WITHOUT.iter().any(|(without, _)| without == name) {
                    continue;
                }
                compared += impls.len();
                let ours = ours.traits.get(name);
                for theirs in impls.iter().filter(|theirs| !ours.is_some_and(|ours| ours.contains(*theirs))) {
                    say(&format!("{path}::{name}"), format!("\n    theirs {theirs}\n    ours   {ours:?}"));
                }
            }
        }
        for (path, theirs) in &self.theirs.functions {
            if let Some(ours) = self.ours.functions.get(path) {
                compared += 1;
                let mut say = |at: &str, what: String| differ.push((format!("{}::{at}", self.package), what));
                compare(path, theirs, Some(ours), &mut say);
            }
        }
        (compared, differ)
    }
}

fn compare(path: &str, theirs: &Function, ours: Option<&Function>, say: &mut impl FnMut(&str, String)) {
    let Some(ours) = ours else { return say(path, "missing".to_owned()) };
    if theirs.signatures.is_disjoint(&ours.signatures) {
        say(path, format!("\n    theirs {:?}\n    ours   {:?}", theirs.signatures, ours.signatures));
    }
    if theirs.must_use && !ours.must_use {
        say(path, "does not ask to be used".to_owned());
    }
    if theirs.track_caller && !ours.track_caller {
        say(path, "does not panic in its caller's name".to_owned());
    }
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
}

#[test]
fn what_is_wrapped_has_every_method_and_trait_of_the_type_with_the_same_signature() {
    let (mut compared, mut differ) = (0, Vec::new());
    for pair in PAIRS.iter() {
        let (count, found) = pair.differences();
        compared += count;
        differ.extend(found);
    }
    assert!(compared > 750, "the items were found: {compared}");
    let expected: BTreeSet<_> = DIFFERS.iter().map(|(path, _)| *path).collect();
    let found: BTreeSet<_> = differ.iter().map(|(path, _)| path.as_str()).collect();
    let text = differ.iter().filter(|(path, _)| !expected.contains(path.as_str()));
    let text: Vec<_> = text.map(|(path, what)| format!("{path}: {what}")).collect();
    assert!(text.is_empty(), "differs in the drop-in:\n{}", text.join("\n"));
    assert_eq!(found, expected, "what differs on purpose does differ");
}

#[test]
fn what_is_wrapped_and_what_is_not_is_as_listed() {
    let (mut wrapped, mut own) = (BTreeSet::new(), BTreeSet::new());
    for pair in PAIRS.iter() {
        let types = pair.wrapped().map(|(path, ..)| path);
        let functions = pair.theirs.functions.keys().filter(|path| pair.ours.functions.contains_key(*path));
        wrapped.extend(types.chain(functions.map(String::as_str)).map(|path| format!("{}::{path}", pair.package)));
    }
    let tokio = &PAIRS[0];
    for path in tokio.theirs.exports.iter().chain(tokio.theirs.functions.keys()) {
        let is_ours = [tokio.ours.types.contains_key(path), tokio.ours.exports.contains(path)];
        if !is_ours.contains(&true) && !tokio.ours.functions.contains_key(path) {
            own.insert(path.clone());
        }
    }
    let listed = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(wrapped, listed(wrapped::WRAPPED), "wrapped");
    assert_eq!(own, listed(wrapped::OWN), "tokio's own");
}

/// Names macros of the drop-in's, which is an error where one is not there.
macro_rules! macros {
    ($($name:ident)*) => {
        $(#[allow(unused_imports, reason = "it only has to be there")]
        use async_inspect_probe::tokio::$name as _;)*
        const MACROS: &[&str] = &[$(stringify!($name)),*];
    };
}

macros! { join pin select task_local try_join }

#[test]
fn every_macro_of_tokio_is_there() {
    let mut found = BTreeSet::new();
    let root = source("tokio");
    for folder in ["macros", "task"] {
        for file in std::fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path()) {
            let Ok(text) = std::fs::read_to_string(file) else { continue };
            for (at, exported) in text.match_indices("#[macro_export]") {
                let (attributes, named) = text[at + exported.len()..].split_once("macro_rules! ").unwrap();
                let hidden = "#[doc(hidden)]";
                if !attributes.contains(hidden) && !text[..at].trim_end().ends_with(hidden) {
                    found.insert(words(named).next().unwrap().to_owned());
                }
            }
        }
    }
    assert_eq!(found, MACROS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn what_is_wrapped_is_so_wherever_it_is_exported() {
    let mut missing = Vec::new();
    for pair in PAIRS.iter() {
        let wrapped: BTreeSet<_> = pair.wrapped().map(|(path, ..)| path.rsplit("::").next().unwrap()).collect();
        for path in &pair.theirs.exports {
            let name = path.rsplit("::").next().unwrap();
            let is_ours = pair.ours.exports.contains(path) || pair.ours.types.contains_key(path);
            if wrapped.contains(name) && !is_ours {
                missing.push(format!("{}::{path}", pair.package));
            }
        }
    }
    assert!(missing.is_empty(), "tokio's own at these paths: {missing:#?}");
}

#[test]
fn what_is_not_wrapped_takes_and_gives_no_type_that_is() {
    let tokio = &PAIRS[0];
    let mut found = BTreeSet::new();
    for pair in PAIRS.iter() {
        let wrapped: BTreeSet<_> = tokio.wrapped().chain(pair.wrapped()).map(|(path, ..)| path).collect();
        // Some have a `Sender` or a `Timeout` of their own.
        let is_wrapped = |path: &str, word: &str| {
            let (module, _) = path.rsplit_once("::").unwrap();
            let at = format!("{module}::{word}");
            wrapped.iter().any(|path| path.rsplit("::").next() == Some(word))
                && (wrapped.contains(at.as_str()) || pair.theirs.types.get(&at).is_none_or(|of| of.declared.is_none()))
        };
        for (path, theirs) in &pair.theirs.functions {
            let says = theirs.signatures.iter().any(|of| words(of).any(|word| is_wrapped(path, word)));
            if says && !pair.ours.functions.contains_key(path) {
                found.insert(format!("{}::{path}", pair.package));
            }
        }
        // Of tokio's many are its own affair.
        let is_seen = |path: &str| {
            let (module, name) = path.rsplit_once("::").unwrap();
            pair.package != "tokio" || pair.theirs.exports.contains(&format!("{module}::{name}"))
        };
        let unwrapped = pair.theirs.types.iter().filter(|(path, _)| !wrapped.contains(path.as_str()) && is_seen(path));
        for (path, theirs) in unwrapped {
            let is_wrapped = |word: &str| is_wrapped(path, word);
            for (name, method) in &theirs.methods {
                if theirs.declared.is_some() && method.signatures.iter().any(|of| words(of).any(is_wrapped)) {
                    found.insert(format!("{}::{path}::{name}", pair.package));
                }
            }
            let mut impls = theirs.traits.values().flatten();
            if theirs.declared.is_some() && impls.any(|of| words(of).any(is_wrapped)) {
                found.insert(format!("{}::{path}", pair.package));
            }
        }
    }
    let expected: BTreeSet<_> = UNWRAPPED.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_auto_traits_of_every_type_that_is_wrapped_are_compared() {
    let tests = include_str!("../auto_traits/main.rs");
    let mut missing = Vec::new();
    for pair in PAIRS.iter() {
        for (path, ..) in pair.wrapped().filter(|(path, ..)| !NO_TYPES.contains(path)) {
            // Where it lies, and where it is exported.
            let (module, name) = path.rsplit_once("::").unwrap();
            let top = module.split("::").next().unwrap();
            let inner = ["futures::", "task_tracker::", ""].map(|inner| format!("{top}::{inner}{name}"));
            let is_channels = ["mpsc", "oneshot", "broadcast", "watch"].iter().any(|inner| module.ends_with(inner));
            if !tests.contains(path) && (is_channels || !inner.iter().any(|path| tests.contains(path))) {
                missing.push(format!("{}::{path}", pair.package));
            }
        }
    }
    assert!(missing.is_empty(), "not in auto_traits/main.rs: {missing:#?}");
}

#[test]
fn the_source_of_tokio_is_read_as_it_is() {
    let tokio = &PAIRS[0];
    let signature = |of: &Api, path: &str, name: &str| {
        let signatures = &of.types[path].methods[name].signatures;
        signatures.iter().next().cloned().unwrap_or_default()
    };
    for of in [&tokio.theirs, &tokio.ours] {
        assert_eq!(
            signature(of, "sync::Semaphore", "acquire_many_owned"),
            "<>(Arc<Semaphore>, u32) -> impl Future<Output=Result<OwnedSemaphorePermit,AcquireError>>"
        );
        assert_eq!(
            signature(of, "sync::SemaphorePermit", "split"),
            "<>(&'l1 mut SemaphorePermit<'l0>, usize) -> Option<SemaphorePermit<'l0>>"
        );
        assert_eq!(signature(of, "sync::Semaphore", "MAX_PERMITS"), "usize");
        assert!(of.types["sync::oneshot::Receiver"].traits["Future"].first().unwrap().contains("Output="));
        assert!(of.functions.contains_key("time::timeout") && of.functions.contains_key("task::spawn"));
    }
    assert!(tokio.wrapped().count() > 45, "{}", tokio.wrapped().count());
}

//! Nothing of tokio's `sync`, `task`, `time` and `runtime` is missing in the drop-in, and nothing of tokio-util and
//! tokio-stream in theirs. What is not wrapped is tokio's own by
//! a glob; what is wrapped has every method and every trait of tokio's type, as tokio's source says.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use syn::{ImplItem, Item, Type, Visibility};

/// What wrapped types do without, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("Drop", "what is held is given back by a field of the wrapper"),
    ("Send", "as `auto_traits` tests"),
    ("Sync", "as `auto_traits` tests"),
    ("Unpin", "as `auto_traits` tests"),
    ("UnwindSafe", "as `auto_traits` tests"),
    ("RefUnwindSafe", "as `auto_traits` tests"),
    ("Overflow", "of a private type of the same name"),
    ("Wake", "of a private type of the same name"),
];

/// Methods and traits by type.
#[derive(Debug, Default)]
struct Api {
    types: BTreeMap<String, BTreeSet<String>>,
    traits: BTreeMap<String, BTreeSet<String>>,
    functions: BTreeSet<String>,
}

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

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("tests") && !entry.ends_with("mocks") {
            files(&entry, into);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            into.push(entry);
        }
    }
}

/// `sync::oneshot` for `…/sync/oneshot.rs`: types of one name in two modules are told apart by the public module.
fn module(package: &str, path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap().with_extension("");
    let mut parts = path.iter().map(|part| part.to_str().unwrap());
    let top = parts.next().unwrap_or_default().to_owned();
    match parts.next() {
        Some(inner @ ("oneshot" | "broadcast" | "watch" | "mpsc")) if package == "tokio" => format!("{top}::{inner}"),
        _ => top,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item is there only in builds that nobody ships.
fn is_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            _ => return false,
        };
        attribute.path().is_ident("doc") && text == "hidden"
            || attribute.path().is_ident("cfg") && (text == "test" || text.contains("loom , test") || text == "fuzzing")
    })
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// Reads items, those within macros such as `cfg_rt! { … }` included.
fn read(module: &str, items: Vec<Item>, api: &mut Api) {
    for item in items {
        match item {
            Item::Macro(of) if of.ident.is_none() => {
                if let Ok(file) = syn::parse2::<syn::File>(of.mac.tokens) {
                    read(module, file.items, api);
                }
            }
            Item::Mod(of) if !is_hidden(&of.attrs) && of.ident != "tests" => {
                read(module, of.content.map_or(Vec::new(), |(_, items)| items), api);
            }
            Item::Fn(of) if is_public(&of.vis) => {
                api.functions.insert(format!("{module}::{}", of.sig.ident));
            }
            Item::Struct(of) if is_public(&of.vis) => {
                api.types.entry(format!("{module}::{}", of.ident)).or_default();
                for attribute in &of.attrs {
                    let _ = attribute.parse_nested_meta(|meta| {
                        if attribute.path().is_ident("derive")
                            && let Some(name) = meta.path.get_ident()
                        {
                            api.traits.entry(format!("{module}::{}", of.ident)).or_default().insert(name.to_string());
                        }
                        Ok(())
                    });
                }
            }
            Item::Impl(of) if !is_hidden(&of.attrs) => {
                let Some(name) = type_name(&of.self_ty).map(|name| format!("{module}::{name}")) else { continue };
                if let Some((_, path, _)) = &of.trait_ {
                    let of = path.segments.last().unwrap().ident.to_string();
                    api.traits.entry(name).or_default().insert(of);
                    continue;
                }
                for item in of.items {
                    match item {
                        ImplItem::Fn(of) if is_public(&of.vis) && !is_hidden(&of.attrs) => {
                            api.types.entry(name.clone()).or_default().insert(of.sig.ident.to_string());
                        }
                        ImplItem::Const(of) if is_public(&of.vis) => {
                            api.types.entry(name.clone()).or_default().insert(of.ident.to_string());
                        }
                        ImplItem::Macro(of) => {
                            let block = format!("impl X {{ {} }}", of.mac.tokens);
                            if let Ok(Item::Impl(inner)) = syn::parse_str(&block) {
                                for item in inner.items {
                                    if let ImplItem::Fn(of) = item
                                        && is_public(&of.vis)
                                        && !is_hidden(&of.attrs)
                                    {
                                        api.types.entry(name.clone()).or_default().insert(of.sig.ident.to_string());
                                    }
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// The text of the drop-in's files of one public module, and the types that it has of its own.
fn ours(package: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(package.replace('-', "_"));
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut text: BTreeMap<String, String> = BTreeMap::new();
    for path in paths {
        *text.entry(module(package, &path, &root)).or_default() += &fs::read_to_string(&path).unwrap();
    }
    text
}

/// What is looked at of each crate that there is a drop-in for.
const CRATES: [(&str, &[&str]); 3] = [
    ("tokio", &["sync", "task", "time", "runtime"]),
    ("tokio-util", &["sync", "task", "context.rs", "future.rs", "io"]),
    ("tokio-stream", &["wrappers"]),
];

fn theirs(package: &str, parts: &[&str]) -> Api {
    let root = source(package);
    let mut api = Api::default();
    for part in parts {
        let (mut paths, part) = (Vec::new(), root.join(part));
        if part.is_dir() {
            files(&part, &mut paths);
        } else {
            paths.push(part);
        }
        for path in paths {
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            read(&module(package, &path, &root), file.items, &mut api);
        }
    }
    api
}

fn tokios() -> Api {
    theirs("tokio", CRATES[0].1)
}

fn is_wrapped(text: &BTreeMap<String, String>, module: &str, name: &str) -> bool {
    text.get(module).is_some_and(|text| text.contains(&format!("pub struct {name}")))
}

fn parted(path: &str) -> (&str, &str) {
    path.rsplit_once("::").unwrap()
}

#[test]
fn what_is_wrapped_has_every_method_of_the_type() {
    let (mut wrapped, mut missing) = (0, Vec::new());
    for (package, parts) in CRATES {
        let (text, api) = (ours(package), theirs(package, parts));
        for (path, methods) in &api.types {
            let (module, name) = parted(path);
            if !is_wrapped(&text, module, name) {
                continue;
            }
            wrapped += 1;
            let has = |method: &str| {
                let (plain, constant) = (format!("fn {method}"), format!("const {method}:"));
                let hook = format!(" {method}(");
                let text = &text[module];
                text.contains(&format!("{plain}(")) || text.contains(&format!("{plain}<")) || text.contains(&constant)
                    // Of those that a macro makes.
                    || text.contains("shared_hooks!") && text.contains(&hook)
            };
            let lacking = methods.iter().filter(|method| !has(method));
            missing.extend(lacking.map(|method| format!("{package}: {path}::{method}")));
        }
    }
    assert!(wrapped > 60, "the types were found: {wrapped}");
    assert!(missing.is_empty(), "missing in the drop-in: {missing:#?}");
}

#[test]
fn what_is_wrapped_has_every_trait_of_the_type() {
    let (mut seen, mut missing) = (0, Vec::new());
    for (package, parts) in CRATES {
        let (text, api) = (ours(package), theirs(package, parts));
        for (path, traits) in &api.traits {
            let (module, name) = parted(path);
            if !is_wrapped(&text, module, name) {
                continue;
            }
            for of in traits.iter().filter(|of| !WITHOUT.iter().any(|(without, _)| without == of)) {
                seen += 1;
                let text = &text[module];
                let written = text.lines().any(|line| {
                    let line = line.trim_start();
                    line.trim_start_matches("$(").starts_with("impl")
                        && line.contains(of.as_str())
                        && (line.contains(&format!(" for {name}")) || line.contains(" for $"))
                });
                if !written && !derives(text, name, of) {
                    missing.push(format!("{package}: {of} for {path}"));
                }
            }
        }
    }
    assert!(seen > 90, "the impls were found: {seen}");
    assert!(missing.is_empty(), "missing in the drop-in: {missing:#?}");
}

/// Whether a struct's attributes derive a trait.
fn derives(text: &str, name: &str, of: &str) -> bool {
    text.match_indices(&format!("pub struct {name}")).any(|(at, _)| {
        let before = &text[..at];
        let attributes = &before[before.rfind("\n\n").unwrap_or(0)..];
        attributes.contains("derive(") && attributes.contains(of)
    })
}

#[test]
fn the_source_of_tokio_is_read_as_it_is() {
    let api = tokios();
    for method in ["acquire_many_owned", "MAX_PERMITS", "forget"] {
        let of = if method == "forget" { "sync::SemaphorePermit" } else { "sync::Semaphore" };
        assert!(api.types[of].contains(method), "{of}::{method}");
    }
    assert!(api.types["sync::mpsc::Receiver"].contains("poll_recv_many"));
    assert!(api.traits["sync::oneshot::Receiver"].contains("Future"));
    assert!(api.functions.contains("time::timeout") && api.functions.contains("task::spawn"));
}

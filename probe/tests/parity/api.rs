//! What a crate's source offers: its types with their methods and impls, and its functions.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Generics, Ident, ImplItem, Item, ItemImpl, Meta, Signature, TraitItem, Type, UseName, UseRename,
    UseTree, Visibility, parse_quote, punctuated::Punctuated,
};

use crate::{expand::Macro, normal::Scope};

/// By path: `sync::mpsc::Sender`, or `time::timeout`.
#[derive(Debug, Default)]
pub(super) struct Api {
    pub(super) types: BTreeMap<String, Of>,
    pub(super) functions: BTreeMap<String, Function>,
    /// Paths of what is exported from elsewhere.
    pub(super) exports: BTreeSet<String>,
}

/// A type, or a trait.
#[derive(Debug, Default)]
pub(super) struct Of {
    /// With its parameters and their bounds; none while only its impls were read.
    pub(super) declared: Option<String>,
    pub(super) must_use: bool,
    pub(super) methods: BTreeMap<String, Function>,
    /// Traits by name, with every impl of each.
    pub(super) traits: BTreeMap<String, BTreeSet<String>>,
}

/// A function, a method or a constant.
#[derive(Debug, Default, Clone)]
pub(super) struct Function {
    /// More than one where it depends on features how it is written.
    pub(super) signatures: BTreeSet<String>,
    pub(super) must_use: bool,
    /// It panics in the name of its caller.
    pub(super) track_caller: bool,
}

impl Api {
    /// Of some files and folders below `root`.
    pub(super) fn read(package: &str, root: &Path, parts: &[&str]) -> Self {
        let mut api = Self::default();
        for part in parts {
            let (mut paths, part) = (Vec::new(), root.join(part));
            if part.is_dir() {
                files(&part, &mut paths);
            } else {
                paths.push(part);
            }
            for path in paths {
                let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                let mut reader =
                    Reader { module: module(package, &path, root), macros: BTreeMap::new(), api: &mut api };
                reader.items(file.items);
            }
        }
        api
    }
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
    if package == "tokio" && path.starts_with("runtime/task") {
        return "task".to_owned();
    }
    let mut parts = path.iter().map(|part| part.to_str().unwrap());
    let top = parts.next().unwrap_or_default().to_owned();
    match parts.next() {
        Some(inner @ ("oneshot" | "broadcast" | "watch" | "mpsc" | "join_set")) if package == "tokio" => {
            format!("{top}::{inner}")
        }
        _ => top,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item is there only in builds that nobody ships.
fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            Meta::List(list) => list.tokens.to_string(),
            _ => return false,
        };
        let unshipped = ["test", "fuzzing", "loom", "all (loom"]
            .iter()
            .any(|only| text.starts_with(only) && !text.starts_with("test-"));
        attribute.path().is_ident("doc") && text == "hidden" || attribute.path().is_ident("cfg") && unshipped
    })
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => list.tokens.to_string().contains(name),
        meta => meta.path().is_ident(name),
    })
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        Type::Group(of) => type_name(&of.elem),
        _ => None,
    }
}

struct Reader<'a> {
    module: String,
    macros: BTreeMap<String, Macro>,
    api: &'a mut Api,
}

impl Reader<'_> {
    fn of(&mut self, name: &str) -> &mut Of {
        self.api.types.entry(format!("{}::{name}", self.module)).or_default()
    }

    /// Reads items, those that macros make included, and those within macros such as `cfg_rt! { … }`.
    fn items(&mut self, items: Vec<Item>) {
        for item in items {
            match item {
                Item::Macro(of) => match (&of.ident, of.mac.path.get_ident()) {
                    (Some(name), _) => {
                        if let Some(rule) = Macro::read(of.mac.tokens) {
                            self.macros.insert(name.to_string(), rule);
                        }
                    }
                    (None, called) => {
                        let made = called.and_then(|called| self.macros.get(&called.to_string()));
                        let tokens = made.map_or(of.mac.tokens.clone(), |made| made.expand(of.mac.tokens));
                        if let Ok(file) = syn::parse2::<syn::File>(tokens) {
                            self.items(file.items);
                        }
                    }
                },
                Item::Mod(of) if !is_hidden(&of.attrs) && of.ident != "tests" => {
                    self.items(of.content.map_or(Vec::new(), |(_, items)| items));
                }
                Item::Use(of) if is_public(&of.vis) => self.exported(of.tree),
                Item::Fn(of) if is_public(&of.vis) && !is_hidden(&of.attrs) => {
                    let path = format!("{}::{}", self.module, of.sig.ident);
                    let scope = Scope::new(&Generics::default(), &parse_quote!(()));
                    self.api.functions.entry(path).or_default().add(&of.attrs, scope.signature(&of.sig));
                }
                Item::Struct(of) if is_public(&of.vis) => self.declared(&of.attrs, &of.ident, &of.generics),
                Item::Enum(of) if is_public(&of.vis) => self.declared(&of.attrs, &of.ident, &of.generics),
                Item::Trait(of) if is_public(&of.vis) => {
                    self.declared(&of.attrs, &of.ident, &of.generics);
                    let scope = Scope::new(&of.generics, &parse_quote!(Self));
                    for item in of.items {
                        if let TraitItem::Fn(function) = item {
                            self.method(&of.ident.to_string(), &function.attrs, &function.sig, &scope);
                        }
                    }
                }
                Item::Impl(of) if !is_hidden(&of.attrs) => self.implemented(of),
                _ => {}
            }
        }
    }

    fn exported(&mut self, tree: UseTree) {
        match tree {
            UseTree::Path(path) => self.exported(*path.tree),
            UseTree::Group(group) => group.items.into_iter().for_each(|tree| self.exported(tree)),
            UseTree::Name(UseName { ident }) | UseTree::Rename(UseRename { rename: ident, .. }) => {
                self.api.exports.insert(format!("{}::{ident}", self.module));
            }
            UseTree::Glob(_) => {}
        }
    }

    fn declared(&mut self, attributes: &[Attribute], name: &Ident, generics: &Generics) {
        let (_, arguments, _) = generics.split_for_impl();
        let of: Type = parse_quote!(#name #arguments);
        let scope = Scope::new(generics, &of);
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let paths = attribute.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated).unwrap();
            for path in paths {
                let mut scope = scope.clone();
                let derived = scope.path(path);
                scope.bind_all(&derived);
                let text = format!("{derived} for {}{}", scope.subject(), scope.bounds());
                self.of(&name.to_string()).traits.entry(derived).or_default().insert(text);
            }
        }
        let of = self.of(&name.to_string());
        of.declared = Some(scope.subject() + &scope.bounds());
        of.must_use |= has(attributes, "must_use");
    }

    fn implemented(&mut self, of: ItemImpl) {
        let Some(name) = type_name(&of.self_ty) else { return };
        let mut scope = Scope::new(&of.generics, &of.self_ty);
        if let Some((negative, path, _)) = of.trait_ {
            let called = path.segments.last().unwrap().ident.to_string();
            let mut text =
                format!("{}{} for {}", if negative.is_some() { "!" } else { "" }, scope.path(path), scope.subject());
            for item in of.items {
                if let ImplItem::Type(of) = item {
                    let _ = write!(text, ", {}={}", of.ident, scope.ty(of.ty));
                }
            }
            text += &scope.bounds();
            self.of(&name).traits.entry(called).or_default().insert(text);
            return;
        }
        self.methods(&name, of.items, &scope);
    }

    fn methods(&mut self, name: &str, items: Vec<ImplItem>, scope: &Scope) {
        for item in items {
            match item {
                ImplItem::Fn(of) if is_public(&of.vis) && !is_hidden(&of.attrs) => {
                    self.method(name, &of.attrs, &of.sig, scope);
                }
                ImplItem::Const(of) if is_public(&of.vis) => {
                    let ty = scope.clone().ty(of.ty);
                    self.of(name).methods.entry(of.ident.to_string()).or_default().add(&of.attrs, ty);
                }
                ImplItem::Macro(of) => {
                    let tokens = of.mac.tokens;
                    if let Ok(Item::Impl(inner)) = syn::parse2(quote::quote!(impl X { #tokens })) {
                        self.methods(name, inner.items, scope);
                    }
                }
                _ => {}
            }
        }
    }

    fn method(&mut self, name: &str, attributes: &[Attribute], signature: &Signature, scope: &Scope) {
        let text = scope.signature(signature);
        self.of(name).methods.entry(signature.ident.to_string()).or_default().add(attributes, text);
    }
}

impl Function {
    fn add(&mut self, attributes: &[Attribute], signature: String) {
        self.signatures.insert(signature);
        self.must_use |= has(attributes, "must_use");
        self.track_caller |= has(attributes, "track_caller");
    }
}

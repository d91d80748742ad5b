//! Signatures and impls as text in which nothing is left of how they happen to be written: parameters go by their order,
//! paths by their last name, elided lifetimes are written out, and bounds are one set wherever they stand.
use std::collections::{BTreeMap, BTreeSet};

use quote::{ToTokens, format_ident};
use syn::{
    FnArg, GenericArgument, GenericParam, Generics, Lifetime, ParenthesizedGenericArguments, Path, PathArguments,
    ReturnType, Signature, Type, TypeParamBound, TypeReference, WherePredicate, parse_quote,
    visit_mut::{self, VisitMut},
};

/// The names that are in force at one place.
#[derive(Clone, Default)]
pub(super) struct Scope {
    types: BTreeMap<String, String>,
    lifetimes: BTreeMap<String, String>,
    /// Lifetimes so far.
    count: usize,
    /// What `Self` is.
    of: Option<Type>,
    elided: Elided,
    bounds: BTreeSet<String>,
}

/// What a lifetime is that is not written.
#[derive(Clone, Default)]
enum Elided {
    /// One of its own.
    #[default]
    Fresh,
    /// That of the receiver, or of the only argument that has one.
    Is(String),
    /// As it is: within `Fn(…)`.
    Left,
}

impl Scope {
    /// Of an `impl` for that type, or of the type itself.
    pub(super) fn new(generics: &Generics, of: &Type) -> Self {
        let mut scope = Self::default();
        let params: BTreeSet<_> = generics.type_params().map(|param| param.ident.to_string()).collect();
        let mut found = Found(Vec::new());
        found.visit_type_mut(&mut of.clone());
        for name in found.0.into_iter().chain(generics.type_params().map(|param| param.ident.to_string())) {
            if params.contains(&name) && !scope.types.contains_key(&name) {
                let number = format!("T{}", scope.types.len());
                scope.types.insert(name, number);
            }
        }
        let mut of = of.clone();
        scope.visit_type_mut(&mut of);
        scope.of = Some(of);
        scope.bind(generics);
        scope
    }

    /// The type.
    pub(super) fn subject(&self) -> String {
        self.of.as_ref().map(text).unwrap_or_default()
    }

    pub(super) fn ty(&mut self, mut of: Type) -> String {
        self.visit_type_mut(&mut of);
        text(&of)
    }

    pub(super) fn path(&mut self, mut of: Path) -> String {
        self.visit_path_mut(&mut of);
        text(&of)
    }

    /// What must hold, as it would stand behind everything else.
    pub(super) fn bounds(&self) -> String {
        let bounds: Vec<_> = self.bounds.iter().map(String::as_str).collect();
        if bounds.is_empty() { String::new() } else { format!(" where {}", bounds.join(", ")) }
    }

    /// As `#[derive]` asks it of every parameter.
    pub(super) fn bind_all(&mut self, to: &str) {
        let bounds = self.types.values().map(|name| format!("{name}: {to}"));
        self.bounds.extend(bounds.collect::<Vec<_>>());
    }

    fn bind(&mut self, generics: &Generics) {
        for param in &generics.params {
            if let GenericParam::Type(param) = param {
                let name = self.types[&param.ident.to_string()].clone();
                self.bound(&name, &param.bounds);
            }
        }
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(of) = predicate {
                let bounded = self.ty(of.bounded_ty.clone());
                self.bound(&bounded, &of.bounds);
            }
        }
    }

    fn bound<'a>(&mut self, of: &str, by: impl IntoIterator<Item = &'a TypeParamBound>) {
        for bound in by {
            let mut bound = bound.clone();
            self.visit_type_param_bound_mut(&mut bound);
            self.bounds.insert(format!("{of}: {}", text(&bound)));
        }
    }

    /// A function, but for its name.
    pub(super) fn signature(&self, of: &Signature) -> String {
        let mut scope = self.clone();
        let mut parameters = Vec::new();
        for (number, param) in of.generics.type_params().enumerate() {
            parameters.push(format!("F{number}"));
            scope.types.insert(param.ident.to_string(), format!("F{number}"));
        }
        let (mut inputs, mut receiver, before) = (Vec::new(), None, scope.count);
        for input in &of.inputs {
            let first = scope.count;
            match input {
                FnArg::Receiver(this) => {
                    inputs.push(scope.ty((*this.ty).clone()));
                    receiver = (scope.count > first).then_some(first);
                }
                FnArg::Typed(typed) => inputs.push(scope.ty((*typed.ty).clone())),
            }
        }
        let only = (scope.count == before + 1).then_some(before);
        scope.elided = receiver.or(only).map_or(Elided::Left, |number| Elided::Is(format!("'l{number}")));
        let output = scope.output(of);
        scope.elided = Elided::Left;
        scope.bind(&of.generics);
        let before = if of.constness.is_some() { "const " } else { "" };
        format!("{before}<{}>({}) -> {output}{}", parameters.join(", "), inputs.join(", "), scope.bounds())
    }

    /// What is returned, an `async fn` and a function that returns a nameless future being one and the same.
    fn output(&mut self, of: &Signature) -> String {
        let ty: Type = match &of.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let ty = if of.asyncness.is_some() { parse_quote!(impl Future<Output = #ty>) } else { ty };
        self.ty(ty)
    }

    fn lifetime(&mut self, written: Option<&Lifetime>) -> Option<Lifetime> {
        let name = match written.map(|written| written.ident.to_string()).as_deref() {
            Some("static") => return written.cloned(),
            None | Some("_") => match &self.elided {
                Elided::Fresh => self.next(),
                Elided::Is(name) => name.clone(),
                Elided::Left => return written.cloned(),
            },
            Some(name) => {
                let known = self.lifetimes.get(name).cloned();
                let numbered = known.unwrap_or_else(|| self.next());
                self.lifetimes.insert(name.to_owned(), numbered.clone());
                numbered
            }
        };
        Some(Lifetime::new(&name, proc_macro2::Span::call_site()))
    }

    fn next(&mut self) -> String {
        self.count += 1;
        format!("'l{}", self.count - 1)
    }
}

impl VisitMut for Scope {
    fn visit_type_mut(&mut self, of: &mut Type) {
        loop {
            match of {
                Type::Paren(inner) => *of = (*inner.elem).clone(),
                Type::Group(inner) => *of = (*inner.elem).clone(),
                Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self") && self.of.is_some() => {
                    of.clone_from(self.of.as_ref().expect("just asked"));
                    return;
                }
                _ => break,
            }
        }
        if let Type::ImplTrait(of) = of {
            // What a nameless future borrows, it borrows by what it is made of.
            of.bounds =
                of.bounds.iter().filter(|bound| !matches!(bound, TypeParamBound::Lifetime(_))).cloned().collect();
        }
        visit_mut::visit_type_mut(self, of);
    }

    fn visit_type_reference_mut(&mut self, of: &mut TypeReference) {
        of.lifetime = self.lifetime(of.lifetime.as_ref());
        self.visit_type_mut(&mut of.elem);
    }

    fn visit_lifetime_mut(&mut self, of: &mut Lifetime) {
        if let Some(lifetime) = self.lifetime(Some(of)) {
            *of = lifetime;
        }
    }

    fn visit_parenthesized_generic_arguments_mut(&mut self, of: &mut ParenthesizedGenericArguments) {
        let before = std::mem::replace(&mut self.elided, Elided::Left);
        visit_mut::visit_parenthesized_generic_arguments_mut(self, of);
        self.elided = before;
    }

    fn visit_path_mut(&mut self, of: &mut Path) {
        of.leading_colon = None;
        let first = of.segments[0].ident.to_string();
        if let Some(name) = self.types.get(&first) {
            of.segments[0].ident = format_ident!("{name}");
        } else if first != "Self" {
            let is_io = of.segments.iter().any(|segment| segment.ident == "io");
            let mut last = of.segments.last().expect("a path has a name").clone();
            if let PathArguments::AngleBracketed(arguments) = &mut last.arguments
                && last.ident == "Result"
                && is_io
            {
                arguments.args.push(GenericArgument::Type(parse_quote!(Error)));
            }
            of.segments = std::iter::once(last).collect();
        }
        visit_mut::visit_path_mut(self, of);
    }
}

/// Every name in a type.
struct Found(Vec<String>);

impl VisitMut for Found {
    fn visit_ident_mut(&mut self, of: &mut syn::Ident) {
        self.0.push(of.to_string());
    }
}

fn text(of: &impl ToTokens) -> String {
    let spaced = of.to_token_stream().to_string();
    let mut out = String::with_capacity(spaced.len());
    let chars: Vec<_> = spaced.chars().collect();
    let is_name = |at: usize| chars.get(at).is_some_and(|char: &char| char.is_alphanumeric() || *char == '_');
    for (at, char) in chars.iter().enumerate() {
        // Spaces between names matter, and no others.
        if *char != ' ' || at > 0 && is_name(at - 1) && (is_name(at + 1) || chars.get(at + 1) == Some(&'\'')) {
            out.push(*char);
        }
    }
    out.replace(",>", ">").replace(",)", ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(generics: &str, of: &str, function: &str) -> String {
        let item: syn::ItemImpl = syn::parse_str(&format!("impl{generics} {of} {{}}")).unwrap();
        Scope::new(&item.generics, &item.self_ty).signature(&syn::parse_str(function).unwrap())
    }

    #[test]
    fn what_is_the_same_reads_the_same() {
        assert_eq!(
            method(
                "<'a, T: ?Sized>",
                "Guard<'a, T>",
                "fn map<U>(this: Self, f: impl Fn(&T) -> &U) -> io::Result<&'a U>"
            ),
            method(
                "<'x, V>",
                "Guard<'x, V>",
                "fn map<W>(mut one: Guard<'x, V>, g: impl Fn(&V) -> &W) -> Result<&'x W, io::Error> where V: ?Sized"
            ),
        );
        assert_eq!(
            method("<T>", "Lock<T>", "async fn get(&self, n: usize) -> Guard<'_, T> where T: Send + Sync"),
            method(
                "<T: Sync + Send>",
                "sync::Lock<T>",
                "fn get<'a>(&'a self, many: usize) -> impl Future<Output = Guard<'a, T>> + 'a"
            ),
        );
    }

    #[test]
    fn what_differs_reads_otherwise() {
        let plain = method("<T>", "Lock<T>", "fn get(&self) -> &T");
        for other in [
            "fn get(&self) -> &'static T",
            "fn get(&self) -> &mut T",
            "fn get(self) -> T",
            "const fn get(&self) -> &T",
            "fn get(&self) -> &T where T: Send",
            "fn get<U>(&self) -> &T",
            "async fn get(&self) -> &T",
        ] {
            assert_ne!(plain, method("<T>", "Lock<T>", other), "{other}");
        }
    }
}

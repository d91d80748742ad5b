//! Macros by example, written out: several of the drop-in's types are made by one, and then its source has no `impl` to read.
use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Expr, Item, Meta, Path, Type, Visibility,
    parse::{Parse, ParseStream, Parser},
};

/// A macro of one rule.
pub(super) struct Macro {
    pattern: Vec<Part>,
    body: Vec<TokenTree>,
}

/// A part of a rule's left side.
enum Part {
    Token(TokenTree),
    Group(Delimiter, Vec<Part>),
    Variable(String, String),
    Repeated(Vec<Part>),
}

/// What a variable stands for, or what those within a repetition stand for each time.
#[derive(Clone)]
enum Bound {
    Once(TokenStream),
    Each(Vec<Bindings>),
}

type Bindings = BTreeMap<String, Bound>;

impl Macro {
    /// Reads `(pattern) => { body };`. `None` for a macro of several rules, of which no type is made.
    pub(super) fn read(rules: TokenStream) -> Option<Self> {
        let rules: Vec<_> = rules.into_iter().collect();
        match &rules[..] {
            [
                TokenTree::Group(pattern),
                TokenTree::Punct(_),
                TokenTree::Punct(_),
                TokenTree::Group(body),
                rest @ ..,
            ] if rest.len() <= 1 => {
                Some(Self { pattern: parts(pattern.stream()), body: body.stream().into_iter().collect() })
            }
            _ => None,
        }
    }

    /// What the macro makes of what it is given.
    pub(super) fn expand(&self, given: TokenStream) -> TokenStream {
        let given: Vec<_> = given.into_iter().collect();
        let mut bindings = Bindings::new();
        let rest = fits(&self.pattern, &given, &mut bindings).expect("the rule fits what is given");
        assert!(rest.is_empty(), "the rule takes all that is given");
        written(&self.body, &bindings)
    }
}

fn is_dollar(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '$')
}

fn parts(pattern: TokenStream) -> Vec<Part> {
    let (pattern, mut parts): (Vec<_>, _) = (pattern.into_iter().collect(), Vec::new());
    let mut rest = &pattern[..];
    while let [token, after @ ..] = rest {
        (rest, parts) = match (token, after) {
            (dollar, [TokenTree::Group(group), _sign, after @ ..]) if is_dollar(dollar) => {
                (after, with(parts, Part::Repeated(self::parts(group.stream()))))
            }
            (dollar, [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Ident(kind), after @ ..])
                if is_dollar(dollar) =>
            {
                (after, with(parts, Part::Variable(name.to_string(), kind.to_string())))
            }
            (TokenTree::Group(group), _) => {
                (after, with(parts, Part::Group(group.delimiter(), self::parts(group.stream()))))
            }
            _ => (after, with(parts, Part::Token(token.clone()))),
        };
    }
    parts
}

fn with(mut parts: Vec<Part>, part: Part) -> Vec<Part> {
    parts.push(part);
    parts
}

/// What is left behind the pattern, where it fits.
fn fits<'a>(pattern: &[Part], mut given: &'a [TokenTree], bindings: &mut Bindings) -> Option<&'a [TokenTree]> {
    for part in pattern {
        match part {
            Part::Token(token) => {
                let (first, rest) = given.split_first()?;
                (first.to_string() == token.to_string()).then_some(())?;
                given = rest;
            }
            Part::Group(delimiter, within) => {
                let (TokenTree::Group(group), rest) = given.split_first()? else { return None };
                let inner: Vec<_> = group.stream().into_iter().collect();
                let all = group.delimiter() == *delimiter && fits(within, &inner, bindings)?.is_empty();
                all.then_some(())?;
                given = rest;
            }
            Part::Variable(name, kind) => {
                let length = length(kind, given)?;
                bindings.insert(name.clone(), Bound::Once(given[..length].iter().cloned().collect()));
                given = &given[length..];
            }
            Part::Repeated(within) => {
                let mut times = Vec::new();
                loop {
                    let mut once = Bindings::new();
                    match fits(within, given, &mut once) {
                        Some(rest) if rest.len() < given.len() => (given, times) = (rest, [times, vec![once]].concat()),
                        _ => break,
                    }
                }
                for name in names(within) {
                    bindings.insert(name, Bound::Each(times.clone()));
                }
            }
        }
    }
    Some(given)
}

fn names(pattern: &[Part]) -> Vec<String> {
    let of = |part: &Part| match part {
        Part::Token(_) => Vec::new(),
        Part::Variable(name, _) => vec![name.clone()],
        Part::Group(_, within) | Part::Repeated(within) => names(within),
    };
    pattern.iter().flat_map(of).collect()
}

/// How many tokens there are of that kind of fragment.
fn length(kind: &str, given: &[TokenTree]) -> Option<usize> {
    match kind {
        "tt" | "ident" | "literal" => {
            let first = given.first()?;
            (kind != "ident" || matches!(first, TokenTree::Ident(_))).then_some(1)
        }
        "ty" => parsed::<Type>(given),
        "path" => parsed::<Path>(given),
        "meta" => parsed::<Meta>(given),
        "expr" => parsed::<Expr>(given),
        "item" => parsed::<Item>(given),
        "vis" => parsed::<Visibility>(given),
        kind => panic!("a fragment `{kind}` is not known to this test"),
    }
}

fn parsed<T: Parse + ToTokens>(given: &[TokenTree]) -> Option<usize> {
    let rest = |input: ParseStream<'_>| {
        input.parse::<T>()?;
        input.parse::<TokenStream>()
    };
    let rest = rest.parse2(given.iter().cloned().collect()).ok()?;
    Some(given.len() - rest.into_iter().count())
}

fn written(body: &[TokenTree], bindings: &Bindings) -> TokenStream {
    let (mut out, mut rest) = (TokenStream::new(), body);
    while let [token, after @ ..] = rest {
        rest = match (token, after) {
            (dollar, [TokenTree::Group(group), sign, after @ ..]) if is_dollar(dollar) => {
                let within: Vec<_> = group.stream().into_iter().collect();
                let separated = !["*", "+", "?"].contains(&sign.to_string().as_str());
                assert!(!separated, "a repetition with a separator is not known to this test");
                for once in each(&within, bindings) {
                    out.extend(written(&within, &once));
                }
                after
            }
            (dollar, [TokenTree::Ident(name), after @ ..]) if is_dollar(dollar) => {
                match bindings.get(&name.to_string()) {
                    Some(Bound::Once(tokens)) => out.extend(tokens.clone()),
                    Some(Bound::Each(_)) => panic!("${name} is repeated"),
                    // `$crate`
                    None => out.extend([TokenTree::Ident(Ident::new("crate", name.span()))]),
                }
                after
            }
            (TokenTree::Group(group), _) => {
                let within: Vec<_> = group.stream().into_iter().collect();
                out.extend([TokenTree::Group(Group::new(group.delimiter(), written(&within, bindings)))]);
                after
            }
            _ => {
                out.extend([token.clone()]);
                after
            }
        };
    }
    out
}

/// The bindings of each time that `body` is to be written.
fn each(body: &[TokenTree], bindings: &Bindings) -> Vec<Bindings> {
    let repeated = used(body).into_iter().find_map(|name| match bindings.get(&name) {
        Some(Bound::Each(times)) => Some(times),
        _ => None,
    });
    let times = repeated.expect("what is repeated has a variable that is");
    times.iter().map(|once| bindings.clone().into_iter().chain(once.clone()).collect()).collect()
}

fn used(body: &[TokenTree]) -> Vec<String> {
    let here = body.windows(2).filter(|pair| is_dollar(&pair[0])).map(|pair| pair[1].to_string());
    let within = body.iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(used(&group.stream().into_iter().collect::<Vec<_>>())),
        _ => None,
    });
    here.chain(within.flatten()).collect()
}

#[test]
fn macros_are_written_out_as_the_compiler_does() {
    let rules = "($($(#[$meta:meta])* $name:ident($($value:ident: $type:ty)?);)*) \
        => { $($(#[$meta])* fn $name(&self, $($value: $type)?) {})* };";
    let given = "#[inline] one(n: Vec<u8>); two();";
    let made = Macro::read(rules.parse().unwrap()).unwrap().expand(given.parse().unwrap());
    let expected: TokenStream = "#[inline] fn one(&self, n: Vec<u8>) {} fn two(&self,) {}".parse().unwrap();
    assert_eq!(made.to_string(), expected.to_string());
}

//! The tables of modules and functions: what the router, `help` and the
//! statistics are all made from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use protocol::{Error, code};

use crate::{Call, Session};

/// What runs a function. It answers exactly once, with [`Call::reply`],
/// [`Call::finish`] or an error.
pub type Run = fn(&mut Session, Call<'_>) -> Result<(), Error>;

/// A helper: a named table of functions.
#[derive(Debug)]
pub struct Module {
    /// The part of a call's name before the dot.
    pub name: &'static str,
    /// One line for `help`.
    pub summary: &'static str,
    /// Its functions, in the order in which `help` shows them.
    pub functions: &'static [Function],
}

/// A function that clients can call.
#[derive(Debug)]
pub struct Function {
    /// The part of a call's name after the dot.
    pub name: &'static str,
    /// One line for `help`.
    pub summary: &'static str,
    /// Its parameters, in positional order.
    pub params: &'static [Param],
    /// The shape of its result, for `help`.
    pub result: &'static str,
    /// Calling it twice is the same as calling it once, so clients may retry it.
    pub idempotent: bool,
    /// Offered to JSON clients and shown in `help`.
    pub json: bool,
    /// The code.
    pub run: Run,
}

/// A parameter of a function, for `help` and for finding the handles of JSON clients.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type, as people read it: "string", "integer", "array", "hash", "any" …
    pub kind: &'static str,
    /// One line for `help`.
    pub summary: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// It holds an id that [`Session::publish_handle`] gave out: a JSON request with it
    /// runs in the session that opened the handle.
    pub handle: bool,
}

impl Function {
    /// Its name and parameters, optional ones in brackets.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (at, param) in self.params.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let (open, close) = if param.required { ("", "") } else { ("[", "]") };
            text.extend([open, comma, param.name, close]);
        }
        text.push(')');
        text
    }
}

impl Param {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: &'static str, summary: &'static str) -> Self {
        Self { name, kind, summary, required: true, handle: false }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, kind: &'static str, summary: &'static str) -> Self {
        Self { name, kind, summary, required: false, handle: false }
    }

    /// A required id of a handle.
    pub const fn handle(name: &'static str, summary: &'static str) -> Self {
        Self { name, kind: "string", summary, required: true, handle: true }
    }
}

/// A function where the router finds it, with its counters.
#[derive(Debug)]
pub struct Entry {
    /// The module it is in.
    pub module: &'static Module,
    /// The function.
    pub function: &'static Function,
    calls: AtomicU64,
    errors: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Entry {
    fn new(module: &'static Module, function: &'static Function) -> Self {
        let (calls, errors, nanoseconds) = Default::default();
        Self { module, function, calls, errors, nanoseconds }
    }

    /// The function as `help` shows it: `sleep(seconds [, unit])`.
    pub fn signature(&self) -> String {
        self.function.signature()
    }

    /// Adds to a failure what the helper need not know: which function failed, and, for
    /// wrong parameters, what it takes.
    pub(crate) fn complete(&self, error: Error) -> Error {
        let (module, name) = (self.module.name, self.function.name);
        if error.code == code::BAD_PARAMS {
            let text = format!("{module}.{name}: {error}; it takes {}", self.signature());
            return Error::new(code::BAD_PARAMS, text).in_function(module, name);
        }
        error.in_function(module, name)
    }

    pub(crate) fn count(&self, took: Duration, failed: bool) {
        self.calls.fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if failed {
            self.errors.fetch_add(1, Relaxed);
        }
    }

    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// How often it failed.
    pub fn errors(&self) -> u64 {
        self.errors.load(Relaxed)
    }

    /// How long it ran in all.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Relaxed))
    }
}

/// All modules of a daemon.
#[derive(Debug)]
pub struct Registry {
    modules: Vec<&'static Module>,
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
}

impl Registry {
    /// Makes the router's table; a later module of the same name does not replace an earlier one.
    pub fn new(modules: Vec<&'static Module>) -> Self {
        let (mut entries, mut places) = (Vec::new(), HashMap::new());
        for module in &modules {
            for function in module.functions {
                places.entry(format!("{}.{}", module.name, function.name)).or_insert(entries.len());
                entries.push(Entry::new(module, function));
            }
        }
        Self { modules, entries, places }
    }

    /// The modules, in the order in which they were composed.
    pub fn modules(&self) -> &[&'static Module] {
        &self.modules
    }

    /// The module of this name.
    pub fn module(&self, name: &str) -> Option<&'static Module> {
        self.modules.iter().find(|module| module.name == name).copied()
    }

    /// All functions, in the order of their modules.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The function of this `module.function` name, and its place among [`Registry::entries`].
    pub fn find(&self, name: &str) -> Result<(usize, &Entry), Error> {
        let found = self.places.get(name).and_then(|&place| Some((place, self.entries.get(place)?)));
        found.ok_or_else(|| self.not_found(name))
    }

    fn not_found(&self, name: &str) -> Error {
        let Some((module, function)) = name.split_once('.') else {
            return Error::new(code::UNKNOWN_FUNCTION, format!("{name:?} is not of the form module.function"));
        };
        match self.module(module) {
            Some(known) => Error::new(
                code::UNKNOWN_FUNCTION,
                format!("module {module} has no function {function:?}{}", suggest(function, names(known))),
            ),
            None => Error::new(
                code::UNKNOWN_MODULE,
                format!("there is no module {module:?} (there are: {})", self.module_names()),
            ),
        }
        .in_function(module, function)
    }

    fn module_names(&self) -> String {
        let names: Vec<_> = self.modules.iter().map(|module| module.name).collect();
        names.join(", ")
    }
}

fn names(module: &'static Module) -> impl Iterator<Item = &'static str> {
    module.functions.iter().map(|function| function.name)
}

/// " (did you mean …?)" when one of `known` begins like `wanted`.
fn suggest<'a>(wanted: &str, mut known: impl Iterator<Item = &'a str>) -> String {
    let near = |name: &&str| {
        let same = name.bytes().zip(wanted.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        same >= 3 && same * 2 >= wanted.len()
    };
    known.find(near).map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new(vec![&crate::modules::test::MODULE])
    }

    #[test]
    fn what_is_there_is_found() {
        let registry = registry();
        assert_eq!(registry.find("test.ping").unwrap().1.function.name, "ping");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let registry = registry();
        for (name, code, part) in [
            ("tset.ping", "unknown_module", "there is no module \"tset\" (there are: test)"),
            ("test.pin", "unknown_function", "did you mean \"ping\"?"),
            ("ping", "unknown_function", "module.function"),
        ] {
            let error = registry.find(name).unwrap_err();
            assert_eq!(error.code, code, "{name}");
            assert!(error.message.contains(part), "{name}: {error}");
        }
    }
}

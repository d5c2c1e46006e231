//! `help`: what can be called, from the tables of the modules.

use std::process::ExitCode;

use anyhow::{Result, bail};
use daemon::{Function, Module};
use lexopt::prelude::*;

use crate::modules::modules;
use crate::{table, usage};

/// `cpan-bridge help`.
pub fn help(mut args: lexopt::Parser) -> Result<ExitCode> {
    let mut words = Vec::new();
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match &words[..] {
        [] => all(),
        [name] => match usage::of(name) {
            // A command of this name, and no module: people type `help run`.
            Some(text) if find(name).is_err() => return usage::print(text),
            _ => module(find(name)?),
        },
        [name, function] => one(find(name)?, function)?,
        _ => bail!("help takes a module and a function, no more"),
    }
    Ok(ExitCode::SUCCESS)
}

fn find(name: &str) -> Result<&'static Module> {
    let known = modules();
    if let Some(module) = known.iter().find(|module| module.name == name) {
        return Ok(module);
    }
    let names: Vec<_> = known.iter().map(|module| module.name).collect();
    bail!("there is no module {name:?}; there are: {}", names.join(", "))
}

fn offered(module: &'static Module) -> impl Iterator<Item = &'static Function> {
    module.functions.iter().filter(|function| function.json)
}

fn all() {
    let rows: Vec<Vec<String>> =
        modules().iter().map(|module| vec![module.name.into(), module.summary.into()]).collect();
    table::print(&["module", "what for"], &rows);
    println!("\ncpan-bridge help MODULE shows its functions; cpan-bridge --help the commands.");
}

fn module(module: &'static Module) {
    println!("{}: {}\n", module.name, module.summary);
    let rows: Vec<Vec<String>> =
        offered(module).map(|function| vec![function.signature(), function.summary.into()]).collect();
    table::print(&["function", "what it does"], &rows);
    let hidden = module.functions.len() - rows.len();
    if hidden > 0 {
        println!("\n{hidden} more are for clients that speak frames (docs/protocol.md).");
    }
}

fn one(module: &'static Module, name: &str) -> Result<()> {
    let Some(function) = module.functions.iter().find(|function| function.name == name) else {
        bail!("module {} has no function {name:?}; `cpan-bridge help {}` lists them", module.name, module.name);
    };
    println!("{}.{}: {}\n", module.name, function.signature(), function.summary);
    let rows: Vec<Vec<String>> = function.params.iter().map(param_row).collect();
    if !rows.is_empty() {
        table::print(&["parameter", "kind", "", "what it is"], &rows);
        println!();
    }
    println!("result: {}", function.result);
    if function.idempotent {
        println!("calling it twice does no more than calling it once");
    }
    if !function.json {
        println!("only for clients that speak frames (docs/protocol.md)");
    }
    Ok(())
}

fn param_row(param: &daemon::Param) -> Vec<String> {
    let need = if param.required { "required" } else { "optional" };
    vec![param.name.into(), param.kind.into(), need.into(), param.summary.into()]
}

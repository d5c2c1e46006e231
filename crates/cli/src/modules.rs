//! The table of helpers: one line each.

use daemon::Module;

/// What the helpers have to do before the process ends.
pub fn end() {
    database::end();
}

/// Every module of this binary, in the order in which `help` shows them.
pub fn modules() -> Vec<&'static Module> {
    let mut modules = vec![&daemon::modules::test::MODULE, &daemon::modules::system::MODULE];
    modules.extend(database::modules());
    modules
}

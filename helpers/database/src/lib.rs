//! SQLite for the bridge.
mod sqlite;

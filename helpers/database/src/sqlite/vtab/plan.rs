//! The choice of a plan for a virtual table.

use std::ffi::{CStr, c_int};

use libsqlite3_sys as ffi;
use storable::Value;

use super::{Table, sqlite_text, table};

/// The bit of `colUsed` that stands for this column and all behind it.
const LAST_BIT: usize = 63;

/// # Safety
/// `items` has `count` elements.
unsafe fn slice<'s, T>(items: *const T, count: c_int) -> &'s [T] {
    match usize::try_from(count) {
        // SAFETY: the caller's promise.
        Ok(count) if count > 0 => unsafe { std::slice::from_raw_parts(items, count) },
        _ => &[],
    }
}

pub(super) unsafe extern "C" fn best_index(
    pointer: *mut ffi::sqlite3_vtab,
    info: *mut ffi::sqlite3_index_info,
) -> c_int {
    // SAFETY: a table of ours; SQLite's question, whose arrays are as long as it says, with places for the answer.
    unsafe {
        let (table, info) = (table(pointer), &mut *info);
        let constraints = slice(info.aConstraint, info.nConstraint).iter().map(|constraint| {
            Value::array([constraint.iColumn, constraint.op.into(), constraint.usable.into()].map(Value::from))
        });
        let orders = slice(info.aOrderBy, info.nOrderBy)
            .iter()
            .map(|order| Value::array([order.iColumn, order.desc.into()].map(Value::from)));
        let args = [Value::Array(constraints.collect()), Value::Array(orders.collect())];
        match table.call("best_index", args) {
            Ok(answer) => take_plan(table, info, &answer),
            Err(code) => code,
        }
    }
}

/// Reads the plan: number, string, whether rows come in order, cost, rows, and `[place, omit]` of each constraint.
///
/// # Safety
/// As for `best_index`.
unsafe fn take_plan(table: &Table, info: &mut ffi::sqlite3_index_info, answer: &Value) -> c_int {
    let Some(plan) = answer.as_array() else {
        return table.fail("a virtual table's plan must be an array");
    };
    let at = |index: usize| plan.get(index).unwrap_or(&Value::Undef);
    let text = at(1).as_bytes().map(|text| String::from_utf8_lossy(text).into_owned());
    let number = at(1).as_i64().filter(|_| text.is_none()).map(|number| number.to_string());
    info.idxNum = at(0).as_i64().and_then(|number| c_int::try_from(number).ok()).unwrap_or(0);
    info.idxStr = sqlite_text(&encode(info.colUsed, text.or(number).as_deref()));
    info.needToFreeIdxStr = 1;
    info.orderByConsumed = at(2).is_true().into();
    if let Some(cost) = at(3).as_f64() {
        info.estimatedCost = cost;
    }
    if let Some(rows) = at(4).as_i64() {
        info.estimatedRows = rows;
    }
    let usages = usize::try_from(info.nConstraint).unwrap_or(0);
    for (index, usage) in at(5).as_array().unwrap_or_default().iter().take(usages).enumerate() {
        // SAFETY: SQLite's array has as many elements as there are constraints.
        let place = unsafe { &mut *info.aConstraintUsage.add(index) };
        let argument = usage.at(0).and_then(Value::as_i64).and_then(|number| c_int::try_from(number).ok());
        place.argvIndex = argument.map_or(0, |number| number + 1);
        place.omit = usage.at(1).is_some_and(Value::is_true).into();
    }
    ffi::SQLITE_OK
}

/// The columns that a plan uses travel to `filter` in front of the plan's string.
fn encode(used: u64, text: Option<&str>) -> String {
    match text {
        Some(text) => format!("{used:x}:{text}"),
        None => format!("{used:x}"),
    }
}

/// The columns that the plan uses, and its string.
pub(super) fn decode(text: &CStr, table: &Table) -> (Vec<usize>, Value) {
    let text = text.to_string_lossy();
    let (used, text) = match text.split_once(':') {
        Some((used, text)) => (used, Value::from(text)),
        None => (&*text, Value::Undef),
    };
    let used = u64::from_str_radix(used, 16).unwrap_or(u64::MAX);
    let mut columns: Vec<usize> = (0..LAST_BIT).filter(|bit| used & 1 << bit != 0).collect();
    if used & 1 << LAST_BIT != 0 {
        columns.extend(LAST_BIT..table.count_columns());
    }
    (columns, text)
}

impl Table {
    /// How many columns the declaration has: SQLite does not tell, so it is asked by another way.
    fn count_columns(&self) -> usize {
        if let Some(count) = self.columns.get() {
            return count;
        }
        let count = super::super::metadata::columns_of(&self.declaration).unwrap_or(0);
        self.columns.set(Some(count));
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_carries_its_columns() {
        assert_eq!(encode(0b101, Some("a:b")), "5:a:b");
        assert_eq!(encode(0, None), "0");
    }
}

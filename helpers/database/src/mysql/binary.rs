//! Rows and values of the binary protocol: statements that the server has prepared.

use std::fmt::Write as _;

use storable::{Cell, RowWriter};

use super::error::Result;
use super::rows::{Columns, Kind, NOT_FIXED_DECIMALS, cell, text};
use super::sql::{Bind, Class};
use super::wire::constants::{flag, kind};
use super::wire::{Bytes, Column, bytes::put_string};

/// Writes a row.
pub fn write_row(rows: &mut RowWriter<'_, '_, '_>, row: &[u8], columns: &Columns) -> Result<()> {
    let mut bytes = Bytes::new(row);
    bytes.u8()?;
    // Two bits before the first column's are never used.
    let nulls = bytes.take((columns.list.len() + 9) / 8)?;
    let mut scratch = String::new();
    for (index, (column, &kind)) in columns.list.iter().zip(&columns.kinds).enumerate() {
        let bit = index + 2;
        if nulls[bit / 8] & 1 << (bit % 8) != 0 {
            rows.cell(Cell::Null);
            continue;
        }
        scratch.clear();
        let cell = value(&mut bytes, column, kind, &mut scratch)?;
        rows.cell(cell);
    }
    Ok(())
}

fn value<'p: 'c, 'c>(
    bytes: &mut Bytes<'p>,
    column: &Column,
    as_kind: Kind,
    scratch: &'c mut String,
) -> Result<Cell<'c>> {
    let is_unsigned = column.flags & flag::UNSIGNED != 0;
    let int = match column.kind {
        kind::TINY if is_unsigned => i64::from(bytes.u8()?),
        kind::TINY => i64::from(bytes.u8()?.cast_signed()),
        kind::SHORT | kind::YEAR if is_unsigned => i64::from(bytes.u16()?),
        kind::SHORT | kind::YEAR => i64::from(bytes.u16()?.cast_signed()),
        kind::LONG | kind::INT24 if is_unsigned => i64::from(bytes.u32()?),
        kind::LONG | kind::INT24 => i64::from(bytes.u32()?.cast_signed()),
        kind::LONGLONG => {
            let int = bytes.u64()?;
            match i64::try_from(int) {
                Err(_) if is_unsigned => {
                    let _ = write!(scratch, "{int}");
                    return Ok(cell(scratch.as_bytes(), as_kind));
                }
                _ => int.cast_signed(),
            }
        }
        kind::FLOAT | kind::DOUBLE => {
            let double = match column.kind {
                kind::FLOAT => float(f32::from_bits(bytes.u32()?)),
                _ => f64::from_bits(bytes.u64()?),
            };
            if as_kind == Kind::Double {
                return Ok(Cell::Double(double));
            }
            return Ok(Cell::Bytes(fixed(double, column, scratch).as_bytes()));
        }
        kind::DATE | kind::NEWDATE | kind::DATETIME | kind::TIMESTAMP => {
            moment(bytes, column, scratch)?;
            return Ok(Cell::Bytes(scratch.as_bytes()));
        }
        kind::TIME => {
            duration(bytes, column, scratch)?;
            return Ok(Cell::Bytes(scratch.as_bytes()));
        }
        kind::NULL => return Ok(Cell::Null),
        _ => {
            let string = bytes.string()?;
            return Ok(if as_kind == Kind::Text { text(string) } else { Cell::Bytes(string) });
        }
    };
    if as_kind == Kind::Int || as_kind == Kind::UInt {
        return Ok(Cell::Int(int));
    }
    // Zeros in front, or a year: text.
    let width = if column.flags & flag::ZEROFILL == 0 { 0 } else { column.length.min(255) as usize };
    let _ = write!(scratch, "{int:0width$}");
    Ok(Cell::Bytes(scratch.as_bytes()))
}

/// With a column's fixed number of digits, and its zeros in front.
fn fixed<'c>(double: f64, column: &Column, scratch: &'c mut String) -> &'c str {
    let width = if column.flags & flag::ZEROFILL == 0 { 0 } else { column.length.min(255) as usize };
    let _ = match usize::from(column.decimals) {
        decimals if column.decimals < NOT_FIXED_DECIMALS => write!(scratch, "{double:0width$.decimals$}"),
        _ => write!(scratch, "{double:0width$}"),
    };
    scratch
}

/// The double with the digits of a float: 1.1 stays 1.1.
fn float(float: f32) -> f64 {
    float.to_string().parse().unwrap_or_else(|_| f64::from(float))
}

fn moment(bytes: &mut Bytes<'_>, column: &Column, out: &mut String) -> Result<()> {
    let mut fields = Bytes::new(part(bytes)?);
    let (mut year, mut month, mut day, mut clock, mut micros) = (0, 0, 0, [0; 3], 0);
    if !fields.is_empty() {
        (year, month, day) = (fields.u16()?, fields.u8()?, fields.u8()?);
    }
    if !fields.is_empty() {
        clock = [fields.u8()?, fields.u8()?, fields.u8()?];
    }
    if !fields.is_empty() {
        micros = fields.u32()?;
    }
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
    if !matches!(column.kind, kind::DATE | kind::NEWDATE) {
        let [hour, minute, second] = clock;
        let _ = write!(out, " {hour:02}:{minute:02}:{second:02}");
        fraction(micros, column, out);
    }
    Ok(())
}

fn duration(bytes: &mut Bytes<'_>, column: &Column, out: &mut String) -> Result<()> {
    let mut fields = Bytes::new(part(bytes)?);
    let (mut sign, mut hours, mut minute, mut second, mut micros) = (0, 0, 0, 0, 0);
    if !fields.is_empty() {
        sign = fields.u8()?;
        let days = u64::from(fields.u32()?);
        hours = days * 24 + u64::from(fields.u8()?);
        (minute, second) = (fields.u8()?, fields.u8()?);
    }
    if !fields.is_empty() {
        micros = fields.u32()?;
    }
    let sign = if sign == 0 { "" } else { "-" };
    let _ = write!(out, "{sign}{hours:02}:{minute:02}:{second:02}");
    fraction(micros, column, out);
    Ok(())
}

fn part<'p>(bytes: &mut Bytes<'p>) -> Result<&'p [u8]> {
    let len = bytes.u8()?;
    bytes.take(len.into())
}

fn fraction(micros: u32, column: &Column, out: &mut String) {
    let digits = match column.decimals {
        0 => return,
        NOT_FIXED_DECIMALS if micros == 0 => return,
        digits => usize::from(digits.min(6)),
    };
    let all = format!("{:06}", micros.min(999_999));
    let _ = write!(out, ".{}", &all[..digits]);
}

/// Appends the parameters of an execution: which are NULL, their types, their values.
pub fn write_parameters(out: &mut Vec<u8>, binds: &[Bind<'_>]) {
    if binds.is_empty() {
        return;
    }
    let mut nulls = vec![0_u8; binds.len().div_ceil(8)];
    for (index, _) in binds.iter().enumerate().filter(|(_, bind)| bind.value.is_none()) {
        nulls[index / 8] |= 1 << (index % 8);
    }
    out.extend_from_slice(&nulls);
    out.push(1); // types follow
    let numbers: Vec<_> = binds.iter().map(number).collect();
    for (bind, number) in binds.iter().zip(&numbers) {
        out.extend_from_slice(&[
            match number {
                Some(Number::Int(_)) => kind::LONGLONG,
                Some(Number::Double(_)) => kind::DOUBLE,
                None if bind.value.is_none() => kind::NULL,
                None if bind.class == Class::Binary => kind::BLOB,
                None => kind::VAR_STRING,
            },
            0,
        ]);
    }
    for (bind, number) in binds.iter().zip(&numbers) {
        match (number, &bind.value) {
            (Some(Number::Int(int)), _) => out.extend_from_slice(&int.to_le_bytes()),
            (Some(Number::Double(double)), _) => out.extend_from_slice(&double.to_le_bytes()),
            (None, Some(value)) => put_string(out, value),
            (None, None) => {}
        }
    }
}

enum Number {
    Int(i64),
    Double(f64),
}

/// A value of a numeric class that is a number. What is none goes as text, for the server to judge.
fn number(bind: &Bind<'_>) -> Option<Number> {
    let text = std::str::from_utf8(bind.value.as_deref()?).ok()?.trim();
    match bind.class {
        Class::Integer => text.parse().ok().map(Number::Int),
        Class::Float => text.parse().ok().map(Number::Double),
        Class::Text | Class::Decimal | Class::Binary => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::rows::{Protocol, Reading};

    fn column(kind: u8, flags: u16, decimals: u8) -> Column {
        Column { kind, flags, decimals, length: 8, ..Column::default() }
    }

    fn shown(column: Column, bytes: &[u8]) -> String {
        let columns = Columns::new(Vec::new(), vec![column], Reading::default(), Protocol::Binary);
        let mut scratch = String::new();
        let read = value(&mut Bytes::new(bytes), &columns.list[0], columns.kinds[0], &mut scratch);
        match read.unwrap() {
            Cell::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn values_look_as_in_the_text_protocol() {
        assert_eq!(shown(column(kind::TINY, 0, 0), &[0xff]), "Int(-1)");
        assert_eq!(shown(column(kind::TINY, flag::UNSIGNED, 0), &[0xff]), "Int(255)");
        assert_eq!(shown(column(kind::LONG, flag::ZEROFILL | flag::UNSIGNED, 0), &[42, 0, 0, 0]), "00000042");
        assert_eq!(shown(column(kind::YEAR, flag::UNSIGNED | flag::ZEROFILL, 0), &[0xe8, 7]), "00002024");
        assert_eq!(shown(column(kind::LONGLONG, flag::UNSIGNED, 0), &[0xff; 8]), "18446744073709551615");
        assert_eq!(shown(column(kind::FLOAT, 0, 31), &1.1_f32.to_le_bytes()), "Double(1.1)");
        assert_eq!(shown(column(kind::DATE, 0, 0), &[4, 0xe8, 7, 1, 2]), "2024-01-02");
        assert_eq!(shown(column(kind::DATETIME, 0, 0), &[0]), "0000-00-00 00:00:00");
        let moment = [11, 0xe8, 7, 1, 2, 3, 4, 5, 0xc8, 0x58, 0x0a, 0];
        assert_eq!(shown(column(kind::DATETIME, 0, 3), &moment), "2024-01-02 03:04:05.678");
        assert_eq!(
            shown(column(kind::TIME, 0, 0), &[8, 1, 1, 0, 0, 0, 2, 3, 4]),
            "-26:03:04"[..0].to_owned() + "-26:03:04"
        );
    }

    #[test]
    fn rows_that_are_cut_off_are_errors() {
        let list = vec![column(kind::DATETIME, 0, 0), column(kind::LONG, 0, 0), column(kind::VAR_STRING, 0, 0)];
        let columns = Columns::new(Vec::new(), list, Reading::default(), Protocol::Binary);
        let row = [0, 0, 4, 0xe8, 7, 1, 2, 1, 0, 0, 0, 2, b'a', b'b'];
        for end in 0..=row.len() {
            let mut image = Vec::new();
            let mut writer = storable::Writer::begin_image(&mut image);
            let mut rows = writer.array_rows(3);
            rows.begin_row();
            assert_eq!(write_row(&mut rows, &row[..end], &columns).is_ok(), end == row.len());
            rows.abort_row();
            rows.finish();
        }
    }

    #[test]
    fn parameters_have_types_and_values() {
        let bind = |value: Option<&str>, class| Bind { value: value.map(|v| v.as_bytes().to_vec().into()), class };
        let binds = [
            bind(Some("5"), Class::Integer),
            bind(None, Class::Text),
            bind(Some("x"), Class::Text),
            bind(Some("no number"), Class::Float),
        ];
        let mut out = Vec::new();
        write_parameters(&mut out, &binds);
        let expected = [&[0b10, 1, 8, 0, 6, 0, 253, 0, 253, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, b'x', 9][..], b"no number"];
        assert_eq!(out, expected.concat());
    }
}

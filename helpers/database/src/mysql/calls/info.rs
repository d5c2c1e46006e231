//! Facts about a result's columns.

use daemon::{Call, Session};
use protocol::Error;

use super::desk::work_on;
use super::reply;
use super::run::OfStatement;

pub fn max_lengths(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let mut writer = call.writer();
    work_on(session, s, |_, statement, _| {
        writer.begin_array(1);
        match statement.max_lengths() {
            Some(lengths) => {
                writer.begin_array(lengths.len());
                for &length in lengths {
                    writer.uint(length);
                }
            }
            None => writer.undef(),
        }
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

pub fn columns(session: &mut Session, mut call: Call<'_>) -> Result<(), Error> {
    let OfStatement { s } = call.params()?;
    let mut writer = call.writer();
    work_on(session, s, |_, statement, _| {
        let mode = statement.columns.mode();
        writer.begin_array(statement.columns.list.len());
        for column in &statement.columns.list {
            writer.begin_array(11);
            for text in [&column.name, &column.org_name, &column.table, &column.org_table, &column.db] {
                reply::text(&mut writer, text, mode);
            }
            writer.int(column.charset.into());
            writer.int(column.length.into());
            writer.undef();
            writer.int(column.kind.into());
            writer.int(column.flags.into());
            writer.int(column.decimals.into());
        }
        Ok(())
    })?;
    writer.finish().map_err(Error::internal)?;
    call.finish()
}

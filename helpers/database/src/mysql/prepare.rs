//! Statements that the server prepares, and sending statements of either kind.

use super::binary::write_parameters;
use super::connection::Connection;
use super::error::{CR_NET_PACKET_TOO_LARGE, CR_PARAMS_NOT_BOUND, Error, Result};
use super::link::Link;
use super::rows::Protocol;
use super::sql::wrong_count;
use super::statement::{Prepared, Statement};
use super::wire::constants::command;
use super::wire::{Bytes, reply};

/// `ER_UNSUPPORTED_PS`: a statement of a kind that cannot be prepared.
const ER_UNSUPPORTED_PS: u32 = 1295;
/// `ER_PS_MANY_PARAM`
const ER_PS_MANY_PARAM: u32 = 1390;

impl Connection {
    /// Has the server prepare a statement, where that is wanted and possible.
    pub fn prepare(&mut self, statement: &mut Statement) -> Result<()> {
        if !statement.wants_server || statement.prepared.is_some_and(|it| it.thread_id == self.link.thread_id) {
            return Ok(());
        }
        statement.prepared = None;
        self.link.wire.begin_command(command::STMT_PREPARE).extend_from_slice(statement.template.sql());
        self.link.wire.end_packet()?;
        self.link.wire.flush()?;
        match self.read_prepared() {
            Ok(prepared) => statement.prepared = Some(prepared),
            Err(error) if is_unsupported(&error) && !self.settings.no_fallback => {
                statement.wants_server = false;
                statement.fallback = Some(error.message);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn read_prepared(&mut self) -> Result<Prepared> {
        let packet = self.link.wire.packet()?;
        if reply::is_failure(packet) {
            return Err(reply::failure(packet));
        }
        let mut bytes = Bytes::new(packet);
        bytes.u8()?;
        let (id, columns, parameters) = (bytes.u32()?, bytes.u16()?, bytes.u16()?);
        for count in [parameters, columns] {
            if count > 0 {
                self.link.skip_columns(count.into())?;
            }
        }
        Ok(Prepared { id, parameters: parameters.into(), thread_id: self.link.thread_id })
    }

    /// Sends a statement with the values it has.
    pub fn send(&mut self, statement: &mut Statement) -> Result<()> {
        self.prepare(statement)?;
        self.write_execution(statement)?;
        self.link.wire.flush()
    }

    /// Writes the command that runs a statement; it waits to be sent.
    pub fn write_execution(&mut self, statement: &Statement) -> Result<()> {
        let style = self.style();
        let wire = &mut self.link.wire;
        let binds = statement.binds();
        let written = match (statement.protocol(), &statement.prepared) {
            (Protocol::Binary, Some(prepared)) if prepared.parameters != binds.len() => {
                return Err(Error::client(CR_PARAMS_NOT_BOUND, wrong_count(binds.len(), prepared.parameters)));
            }
            (Protocol::Binary, Some(prepared)) => {
                let out = wire.begin_command(command::STMT_EXECUTE);
                out.extend_from_slice(&prepared.id.to_le_bytes());
                out.extend_from_slice(&[0, 1, 0, 0, 0]); // no cursor; once
                write_parameters(out, binds);
                Ok(())
            }
            _ => statement.template.write(wire.begin_command(command::QUERY), binds, style),
        };
        written.inspect_err(|_| wire.abort_packet())?;
        let Link { wire, files, .. } = &mut *self.link;
        let len = wire.begun().len() as u64;
        if self.settings.max_allowed_packet.is_some_and(|most| most > 0 && len >= most) {
            wire.abort_packet();
            return Err(Error::client(CR_NET_PACKET_TOO_LARGE, "Got packet bigger than 'max_allowed_packet' bytes"));
        }
        files.note(wire.begun());
        wire.end_packet()
    }
}

fn is_unsupported(error: &Error) -> bool {
    matches!(error.number, ER_UNSUPPORTED_PS | ER_PS_MANY_PARAM)
}

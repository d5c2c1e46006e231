//! Many executions at once: commands are sent ahead, their answers read in order.
//!
//! The server runs them one after the other, each as if it had come alone, so that every tuple has its own outcome; what
//! is saved are the waits in between. Statements that return rows are not sent ahead: both sides would stand in front of
//! full buffers.

use super::connection::{Connection, Outcome};
use super::error::{Error, Result};
use super::sql::Bind;
use super::statement::Statement;
use super::wire::constants::capability;

/// How many commands are sent before the answers of those before them are read. Twice as many answers fit into the
/// buffers of a socket, so that neither side waits for the other in vain.
pub const AHEAD_COUNT: usize = 64;
/// The same in bytes of commands.
const AHEAD_BYTES: usize = 256 * 1024;

/// What became of one execution.
#[derive(Debug)]
pub enum Status {
    /// Rows changed, and the insert id.
    Done(u64, u64),
    /// It failed.
    Failed(Error),
}

impl Connection {
    /// Runs a statement once for each tuple. With `one_by_one` none is sent before the outcome of the one before it is
    /// known, and the first failure is the last.
    pub fn execute_many(
        &mut self,
        s: u32,
        statement: &mut Statement,
        tuples: Vec<Vec<Bind<'static>>>,
        one_by_one: bool,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Status>> {
        self.prepare(statement)?;
        let total = tuples.len();
        let ahead = if one_by_one || !self.may_send_ahead(statement) { 1 } else { AHEAD_COUNT };
        let mut tuples = tuples.into_iter();
        let mut statuses = Vec::with_capacity(total);
        // What each command of a round is waiting for; one that could not be written has failed already.
        let mut waiting: Vec<Option<Error>> = Vec::new();
        loop {
            let mut round = Vec::new();
            while round.len() < ahead && self.link.wire.waiting() < AHEAD_BYTES && !is_cancelled() {
                let Some(tuple) = tuples.next() else { break };
                statement.set_binds(tuple);
                round.push(self.write_execution(statement).err());
            }
            if round.iter().any(Option::is_none) {
                // A failure shows when the answers are read.
                let _ = self.link.wire.flush();
            }
            let is_last = round.is_empty();
            for failed in std::mem::replace(&mut waiting, round) {
                statuses.push(self.status_of(s, statement, failed));
            }
            if ahead == 1 {
                for failed in std::mem::take(&mut waiting) {
                    statuses.push(self.status_of(s, statement, failed));
                }
                if one_by_one && matches!(statuses.last(), Some(Status::Failed(_))) {
                    break;
                }
            }
            if is_last {
                break;
            }
        }
        if is_cancelled() && statuses.len() < total {
            let interrupted = Error { state: "70100".into(), ..Error::client(1317, "Query execution was interrupted") };
            statuses.push(Status::Failed(interrupted));
        }
        Ok(statuses)
    }

    fn status_of(&mut self, s: u32, statement: &mut Statement, failed: Option<Error>) -> Status {
        if let Some(error) = failed {
            return Status::Failed(error);
        }
        let answer = self.guarded(|this| {
            let outcome = this.outcome(s, statement)?;
            let done = match outcome {
                Outcome::Done(ok) => (ok.affected, ok.insert_id),
                Outcome::Rows { .. } => (this.skip_rows(s)?, 0),
            };
            this.drain_more(s)?;
            Ok(done)
        });
        statement.begin();
        match answer {
            Ok((count, insert_id)) => Status::Done(count, insert_id),
            Err(error) => Status::Failed(error),
        }
    }

    /// Whether a statement is of a kind that returns no rows, whatever its values.
    pub fn may_send_ahead(&self, statement: &Statement) -> bool {
        let unsuitable = capability::COMPRESS | capability::MULTI_STATEMENTS | capability::LOCAL_FILES;
        self.link.capabilities & self.target.login.capabilities & unsuitable == 0
            && changes_rows_only(statement.template.sql())
    }
}

/// Whether SQL changes rows and returns none.
fn changes_rows_only(sql: &[u8]) -> bool {
    const WORDS: [&[u8]; 4] = [b"INSERT", b"REPLACE", b"UPDATE", b"DELETE"];
    let sql = sql.trim_ascii_start();
    let word = sql.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let returns = sql.windows(9).any(|here| here.eq_ignore_ascii_case(b"RETURNING"));
    !returns && WORDS.iter().any(|first| sql[..word].eq_ignore_ascii_case(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_returns_nothing_is_sent_ahead() {
        for (sql, may) in [
            ("insert into t values (?)", true),
            ("  Update t set a=?", true),
            ("insert into t values (?) returning id", false),
            ("select 1", false),
            ("/* x */ insert", false),
            ("inserts", false),
            ("", false),
        ] {
            assert_eq!(changes_rows_only(sql.as_bytes()), may, "{sql}");
        }
    }
}

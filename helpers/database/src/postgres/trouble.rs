//! What can go wrong, with the numbers and words that the driver reports.

use daemon::Error;
use protocol::code;

use super::wire::{Level, LinkError, Notice};

/// `PGRES_FATAL_ERROR`: what `err` is after an error of the server or of the connection.
const FATAL_ERROR: i64 = 7;
/// SQLSTATE of a connection that is lost.
const CONNECTION_EXCEPTION: &str = "08000";

/// Something went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server said so.
    #[error("{text}")]
    Server {
        /// Its fields.
        notice: Box<Notice>,
        /// In words.
        text: String,
    },
    /// The connection is of no use any more.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Something that is the caller's mistake, in libpq's words.
    #[error("{0}")]
    Usage(String),
    /// Something that has nothing to do with the server.
    #[error(transparent)]
    Other(#[from] Error),
}

/// Results of this part.
pub type Result<T> = std::result::Result<T, Trouble>;

impl Trouble {
    /// An error message of the server; `sql` is what it is about.
    pub fn server(body: &[u8], level: Level, sql: Option<&[u8]>) -> Self {
        let notice = Notice::parse(body);
        let text = notice.words(level, sql, true);
        Self::Server { notice: Box::new(notice), text }
    }

    /// A NUL where none can be; as the server would say it.
    pub fn nul() -> Self {
        let words = b"SERROR\0C22021\0Minvalid byte sequence for encoding \"UTF8\": 0x00\0\0";
        Self::server(words, Level::Default, None)
    }

    /// What the server says of a statement in a transaction that has failed.
    pub fn aborted() -> Self {
        let words =
            "SERROR\0C25P02\0Mcurrent transaction is aborted, commands ignored until end of transaction block\0\0";
        Self::server(words.as_bytes(), Level::Default, None)
    }

    /// The server's fields.
    pub fn notice(&self) -> Option<&Notice> {
        match self {
            Self::Server { notice, .. } => Some(notice),
            _ => None,
        }
    }

    /// SQLSTATE, where the server said one.
    pub fn state(&self) -> &str {
        self.notice().map_or("", Notice::state)
    }

    /// As the client gets it.
    pub fn into_error(self) -> Error {
        match self {
            Self::Server { notice, text } => {
                Error::new(code::DATABASE, text.trim_end_matches('\n')).err(FATAL_ERROR).state(notice.state())
            }
            Self::Link(LinkError::Lost(text)) => Error::new(code::DATABASE, text.trim_end_matches('\n'))
                .err(FATAL_ERROR)
                .state(CONNECTION_EXCEPTION)
                .unknown("whether the statement took effect"),
            Self::Link(gone @ LinkError::Gone) => Error::new(code::DATABASE, gone.to_string().trim_end_matches('\n'))
                .err(FATAL_ERROR)
                .state(CONNECTION_EXCEPTION),
            Self::Link(LinkError::Cancelled) => Error::cancelled()
                .err(FATAL_ERROR)
                .state("57014")
                .unknown("whether the statement took effect; its connection was closed"),
            Self::Usage(text) => Error::new(code::DATABASE, text.trim_end_matches('\n')).err(FATAL_ERROR),
            Self::Other(error) => error,
        }
    }

    /// `[err, errstr, state]` of it.
    pub fn triple(&self) -> (i64, String, String) {
        let text = self.to_string().trim_end_matches('\n').to_owned();
        let state = match self {
            Self::Link(_) => CONNECTION_EXCEPTION,
            other => other.state(),
        };
        (FATAL_ERROR, text, state.to_owned())
    }
}

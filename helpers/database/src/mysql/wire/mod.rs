//! The protocol of MySQL and MariaDB: bytes, packets, handshake, replies. Knows nothing of sessions or statements.
//!
//! | file           | what lives there                                          |
//! |----------------|-----------------------------------------------------------|
//! | `stream.rs`    | sockets, with TLS or compression on them                  |
//! | `tls.rs`, `compress.rs` | these two                                        |
//! | `packet.rs`    | packets: what is sent, what was received                  |
//! | `bytes.rs`     | integers and strings in a packet                          |
//! | `handshake.rs` | from the server's greeting to the first command           |
//! | `auth.rs`      | the methods of authentication                             |
//! | `reply.rs`     | what commands are answered with; columns                  |
//! | `constants.rs` | the protocol's numbers                                    |

pub mod auth;
pub mod bytes;
pub mod compress;
pub mod constants;
pub mod handshake;
pub mod packet;
pub mod reply;
pub mod stream;
pub mod tls;

pub use auth::secret;
pub use bytes::Bytes;
pub use handshake::{Greeting, Login};
pub use packet::Wire;
pub use reply::{Column, End, Ok as OkReply, Reply};
pub use stream::{Channel, Socket, Stream};
pub use tls::Tls;

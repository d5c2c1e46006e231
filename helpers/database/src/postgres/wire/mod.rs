//! The messages of PostgreSQL's protocol, version 3.
//!
//! | file         | what lives there                                                                 |
//! |--------------|----------------------------------------------------------------------------------|
//! | `out.rs`     | [`Out`]: messages to the server, appended to a buffer                            |
//! | `link.rs`    | [`Link`]: a connection: sending, receiving, notices and parameters on the side   |
//! | `notice.rs`  | errors and notices, put into words as libpq does                                 |
//! | `tag.rs`     | command tags: what was done to how many rows                                     |
//! | `row.rs`     | columns, and rows on their way into a reply                                      |
//! | `array.rs`   | PostgreSQL's arrays as arrays of arrays                                          |

mod array;
mod link;
mod notice;
mod out;
mod row;
mod tag;

pub use link::{Link, LinkError, Message, Transaction};
pub use notice::{Level, Notice};
pub use out::Out;
pub use row::{Columns, Decoding, from_hex, write_row};
pub use tag::Tag;

//! Messages to the server.

/// Messages to the server, one after the other.
#[derive(Debug, Default)]
pub struct Out {
    /// The bytes; those before `sent` are on their way already.
    bytes: Vec<u8>,
    sent: usize,
    /// A string with a NUL was given where none can be, or something too long; the message was not written.
    is_bad: bool,
}

/// A buffer that a big value has blown up is not kept.
const KEPT_BYTES: usize = 1 << 20;

impl Out {
    /// What is still to be sent.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Whether all was sent.
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// So many bytes more were sent.
    pub fn advance(&mut self, sent: usize) {
        self.sent += sent;
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            self.sent = 0;
        }
    }

    /// Where the next message begins, to come back to with [`Out::take_back`].
    pub fn mark(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Takes back what was written since a mark; nothing may have been sent since.
    pub fn take_back(&mut self, mark: usize) {
        self.bytes.truncate(self.sent + mark);
        self.is_bad = false;
    }

    /// Whether something could not be written since this was last asked.
    pub fn take_bad(&mut self) -> bool {
        std::mem::take(&mut self.is_bad)
    }

    fn message(&mut self, kind: u8, body: impl FnOnce(&mut Self)) {
        self.bytes.push(kind);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        body(self);
        let len = self.bytes.len() - at;
        match i32::try_from(len) {
            Ok(len) => self.bytes[at..at + 4].copy_from_slice(&len.to_be_bytes()),
            Err(_) => self.is_bad = true,
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.is_bad |= text.contains(&0);
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
    }

    fn count(&mut self, count: usize) {
        // The protocol counts in 16 bits.
        match u16::try_from(count) {
            Ok(count) => self.bytes.extend_from_slice(&count.to_be_bytes()),
            Err(_) => self.is_bad = true,
        }
    }

    /// Query: SQL of any number of statements.
    pub fn query(&mut self, sql: &[u8]) {
        self.message(b'Q', |out| out.string(sql));
    }

    /// Parse: makes the statement `name`.
    pub fn parse(&mut self, name: &str, sql: &[u8], types: &[u32]) {
        self.message(b'P', |out| {
            out.string(name.as_bytes());
            out.string(sql);
            out.count(types.len());
            for oid in types {
                out.bytes.extend_from_slice(&oid.to_be_bytes());
            }
        });
    }

    /// Bind, with results as text: `binary` says which of the `count` parameters are binary, `value` writes each.
    pub fn bind(
        &mut self,
        statement: &str,
        count: usize,
        binary: impl Fn(usize) -> bool,
        mut value: impl FnMut(usize, &mut Vec<u8>) -> bool,
    ) {
        self.message(b'B', |out| {
            out.bytes.push(0); // the unnamed portal
            out.string(statement.as_bytes());
            if (0..count).any(&binary) {
                out.count(count);
                for index in 0..count {
                    out.bytes.extend_from_slice(&u16::from(binary(index)).to_be_bytes());
                }
            } else {
                out.count(0);
            }
            out.count(count);
            for index in 0..count {
                let at = out.bytes.len();
                out.bytes.extend_from_slice(&[0xff; 4]); // NULL
                if value(index, &mut out.bytes) {
                    match i32::try_from(out.bytes.len() - at - 4) {
                        Ok(len) => out.bytes[at..at + 4].copy_from_slice(&len.to_be_bytes()),
                        Err(_) => out.is_bad = true,
                    }
                }
            }
            out.count(0);
        });
    }

    /// Describe: the columns of the portal that was bound.
    pub fn describe_portal(&mut self) {
        self.bytes.extend_from_slice(b"D\0\0\0\x06P\0");
    }

    /// Describe: parameters and columns of a statement.
    pub fn describe_statement(&mut self, name: &str) {
        self.message(b'D', |out| {
            out.bytes.push(b'S');
            out.string(name.as_bytes());
        });
    }

    /// Execute: all rows of the portal that was bound.
    pub fn execute(&mut self) {
        self.bytes.extend_from_slice(b"E\0\0\0\x09\0\0\0\0\0");
    }

    /// Close: forgets the statement `name`.
    pub fn close_statement(&mut self, name: &str) {
        self.message(b'C', |out| {
            out.bytes.push(b'S');
            out.string(name.as_bytes());
        });
    }

    /// Sync: the end of a group of messages.
    pub fn sync(&mut self) {
        self.bytes.extend_from_slice(b"S\0\0\0\x04");
    }

    /// `CopyData`.
    pub fn copy_data(&mut self, data: &[u8]) {
        self.message(b'd', |out| out.bytes.extend_from_slice(data));
    }

    /// `CopyDone`.
    pub fn copy_done(&mut self) {
        self.bytes.extend_from_slice(b"c\0\0\0\x04");
    }

    /// `CopyFail`.
    pub fn copy_fail(&mut self, reason: &[u8]) {
        self.message(b'f', |out| out.string(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_manual_says() {
        let mut out = Out::default();
        out.parse("s1", b"select $1", &[23]);
        out.describe_portal();
        out.execute();
        out.sync();
        let expected: &[u8] =
            b"P\0\0\0\x17s1\0select $1\0\0\x01\0\0\0\x17D\0\0\0\x06P\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";
        assert_eq!(out.pending(), expected);
    }

    #[test]
    fn parameters_are_null_text_or_binary() {
        let mut out = Out::default();
        out.bind(
            "s1",
            2,
            |index| index == 1,
            |index, to| {
                if index == 1 {
                    to.extend_from_slice(b"ab");
                }
                index == 1
            },
        );
        let expected: &[u8] = b"B\0\0\0\x1c\0s1\0\0\x02\0\0\0\x01\0\x02\xff\xff\xff\xff\0\0\0\x02ab\0\0";
        assert_eq!(out.pending(), expected);
        let mut out = Out::default();
        out.bind("s1", 1, |_| false, |_, _| false);
        assert_eq!(out.pending(), b"B\0\0\0\x12\0s1\0\0\0\0\x01\xff\xff\xff\xff\0\0");
    }

    #[test]
    fn a_nul_is_told() {
        let mut out = Out::default();
        let mark = out.mark();
        out.query(b"select '\0'");
        assert!(out.take_bad());
        out.take_back(mark);
        assert!(out.is_empty() && !out.take_bad());
    }
}

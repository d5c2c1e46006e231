//! The protocol's numbers.

/// Capabilities of both sides.
pub mod capability {
    pub const LONG_PASSWORD: u32 = 1;
    pub const FOUND_ROWS: u32 = 1 << 1;
    pub const LONG_FLAG: u32 = 1 << 2;
    pub const CONNECT_WITH_DB: u32 = 1 << 3;
    pub const COMPRESS: u32 = 1 << 5;
    pub const LOCAL_FILES: u32 = 1 << 7;
    pub const PROTOCOL_41: u32 = 1 << 9;
    pub const INTERACTIVE: u32 = 1 << 10;
    pub const SSL: u32 = 1 << 11;
    pub const TRANSACTIONS: u32 = 1 << 13;
    pub const SECURE_CONNECTION: u32 = 1 << 15;
    pub const MULTI_STATEMENTS: u32 = 1 << 16;
    pub const MULTI_RESULTS: u32 = 1 << 17;
    pub const PS_MULTI_RESULTS: u32 = 1 << 18;
    pub const PLUGIN_AUTH: u32 = 1 << 19;
    pub const CONNECT_ATTRS: u32 = 1 << 20;
    pub const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub const DEPRECATE_EOF: u32 = 1 << 24;
}

/// What can be commanded.
pub mod command {
    pub const QUIT: u8 = 0x01;
    pub const INIT_DB: u8 = 0x02;
    pub const QUERY: u8 = 0x03;
    pub const STATISTICS: u8 = 0x09;
    pub const PING: u8 = 0x0e;
    pub const STMT_PREPARE: u8 = 0x16;
    pub const STMT_EXECUTE: u8 = 0x17;
    pub const STMT_CLOSE: u8 = 0x19;
    pub const RESET_CONNECTION: u8 = 0x1f;
}

/// Bits of the server's status.
pub mod status {
    pub const IN_TRANSACTION: u16 = 1;
    pub const AUTOCOMMIT: u16 = 2;
    pub const MORE_RESULTS: u16 = 8;
    pub const NO_BACKSLASH_ESCAPES: u16 = 512;
    /// Those a client is told of.
    pub const TOLD: u16 = IN_TRANSACTION | AUTOCOMMIT | NO_BACKSLASH_ESCAPES;
}

/// Types of columns.
pub mod kind {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
}

/// Flags of columns.
pub mod flag {
    pub const UNSIGNED: u16 = 32;
    pub const ZEROFILL: u16 = 64;
}

/// The "character set" of bytes.
pub const BINARY_CHARSET: u16 = 63;
/// The byte of NULL in rows of the text protocol.
pub const NULL: u8 = 0xfb;

/// The character set's default collation, which is what the handshake names it by.
pub fn collation(charset: &str) -> Option<u16> {
    Some(match charset.to_ascii_lowercase().as_str() {
        "big5" => 1,
        "latin2" => 9,
        "dec8" => 3,
        "cp850" => 4,
        "hp8" => 6,
        "koi8r" => 7,
        "latin1" => 8,
        "swe7" => 10,
        "ascii" => 11,
        "ujis" => 12,
        "sjis" => 13,
        "hebrew" => 16,
        "tis620" => 18,
        "euckr" => 19,
        "koi8u" => 22,
        "gb2312" => 24,
        "greek" => 25,
        "cp1250" => 26,
        "gbk" => 28,
        "latin5" => 30,
        "armscii8" => 32,
        "utf8" | "utf8mb3" => 33,
        "cp866" => 36,
        "keybcs2" => 37,
        "macce" => 38,
        "macroman" => 39,
        "cp852" => 40,
        "latin7" => 41,
        "utf8mb4" => 45,
        "cp1251" => 51,
        "cp1256" => 57,
        "cp1257" => 59,
        "binary" => 63,
        "geostd8" => 92,
        "cp932" => 95,
        "eucjpms" => 97,
        "gb18030" => 248,
        _ => return None,
    })
}

/// A collation's number, for those that are asked for by name.
pub fn named_collation(name: &str) -> Option<u16> {
    Some(match name.to_ascii_lowercase().as_str() {
        "latin1_swedish_ci" => 8,
        "utf8_general_ci" | "utf8mb3_general_ci" => 33,
        "utf8mb4_general_ci" => 45,
        "utf8mb4_bin" => 46,
        "latin1_bin" => 47,
        "utf8_bin" | "utf8mb3_bin" => 83,
        "utf8_unicode_ci" | "utf8mb3_unicode_ci" => 192,
        "utf8mb4_unicode_ci" => 224,
        _ => return None,
    })
}

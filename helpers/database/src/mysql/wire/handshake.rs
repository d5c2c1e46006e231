//! From the server's greeting to the first command.

use std::fmt::Debug;

use daemon::Secret;

use super::auth::{MORE, Method, SWITCH};
use super::bytes::{Bytes, put_string};
use super::compress::Compressed;
use super::constants::capability as can;
use super::packet::{MAX_PAYLOAD_BYTES, Wire};
use super::reply::{self, Ok as OkReply};
use super::stream::{Channel, Stream};
use super::tls::Tls;
use crate::mysql::error::{CR_VERSION_ERROR, Error, Result};

/// The only version of the handshake that is left.
const PROTOCOL: u8 = 10;
/// What MariaDB puts before its version, for replicas that would not take a version above 5.
const REPLICATION_PREFIX: &str = "5.5.5-";
/// Rounds of questions a server may ask before it lets anybody in or not.
const MAX_AUTH_ROUNDS_COUNT: usize = 10;
/// All that this side can do, whatever is asked for.
const ALWAYS: u32 = can::LONG_PASSWORD
    | can::LONG_FLAG
    | can::PROTOCOL_41
    | can::TRANSACTIONS
    | can::SECURE_CONNECTION
    | can::MULTI_RESULTS
    | can::PS_MULTI_RESULTS
    | can::PLUGIN_AUTH
    | can::PLUGIN_AUTH_LENENC
    | can::DEPRECATE_EOF;

/// What the server says first.
#[derive(Debug)]
pub struct Greeting {
    /// Its version, without what is there for replicas.
    pub version: String,
    /// Whether it is MariaDB.
    pub is_mariadb: bool,
    /// The number of the connection.
    pub thread_id: u32,
    capabilities: u32,
    charset: u8,
    status: u16,
    method: Method,
}

impl Greeting {
    /// Reads it.
    pub fn read(wire: &mut Wire) -> Result<Self> {
        let packet = wire.packet()?;
        if reply::is_failure(packet) {
            return Err(Error { lost: true, ..reply::failure(packet) });
        }
        Self::parse(packet)
    }

    fn parse(packet: &[u8]) -> Result<Self> {
        let mut bytes = Bytes::new(packet);
        let protocol = bytes.u8()?;
        if protocol != PROTOCOL {
            let text = format!("Protocol mismatch. Server Version = {protocol} Client Version = {PROTOCOL}");
            return Err(Error::fatal(CR_VERSION_ERROR, text));
        }
        let version = String::from_utf8_lossy(bytes.until_nul()).into_owned();
        let thread_id = bytes.u32()?;
        let mut nonce = bytes.take(8)?.to_vec();
        bytes.u8()?;
        let low = u32::from(bytes.u16()?);
        let (charset, status) = (bytes.u8()?, bytes.u16()?);
        let capabilities = low | u32::from(bytes.u16()?) << 16;
        let nonce_len = usize::from(bytes.u8()?);
        bytes.take(10)?;
        if capabilities & can::SECURE_CONNECTION != 0 {
            let rest = nonce_len.saturating_sub(8).max(13).min(bytes.rest().len());
            nonce.extend_from_slice(bytes.take(rest)?);
        }
        let name = if capabilities & can::PLUGIN_AUTH != 0 { bytes.until_nul() } else { b"" };
        let real = version.strip_prefix(REPLICATION_PREFIX).filter(|real| real.contains("MariaDB"));
        Ok(Self {
            is_mariadb: version.contains("MariaDB"),
            version: real.unwrap_or(&version).to_owned(),
            thread_id,
            capabilities,
            charset,
            status,
            method: Method::new(name, &nonce),
        })
    }

    /// The version as one number, as in 101119.
    pub fn version_number(&self) -> u32 {
        let mut parts = self.version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0_u32));
        let mut next = || parts.next().unwrap_or(0).min(9999);
        next() * 10_000 + next() * 100 + next()
    }
}

/// Who logs in, and how.
#[derive(Debug, Clone, Default)]
pub struct Login {
    pub user: Vec<u8>,
    pub password: Secret,
    pub database: Option<Vec<u8>>,
    /// The collation that the character set is named by; `None`: the server's.
    pub collation: Option<u16>,
    /// Capabilities beyond those that are always asked for.
    pub capabilities: u32,
    pub tls: Option<Tls>,
    /// Whether it may go on without TLS where the server has none.
    pub tls_optional: bool,
    /// Whether `mysql_clear_password` is allowed on a private channel.
    pub cleartext: bool,
    pub attributes: Vec<(String, String)>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Session {
    /// What both sides can do.
    pub capabilities: u32,
    /// The server's last word.
    pub ok: OkReply,
}

impl Login {
    /// Logs in.
    pub fn perform(&self, wire: &mut Wire, greeting: &Greeting, host: &str) -> Result<Session> {
        let mut wanted = ALWAYS | self.capabilities;
        if self.database.is_some() {
            wanted |= can::CONNECT_WITH_DB;
        }
        if !self.attributes.is_empty() {
            wanted |= can::CONNECT_ATTRS;
        }
        if self.tls.is_some() {
            wanted |= can::SSL;
        }
        let capabilities = wanted & (greeting.capabilities | can::LOCAL_FILES | can::LONG_PASSWORD);
        if capabilities & can::PROTOCOL_41 == 0 {
            return Err(Error::fatal(CR_VERSION_ERROR, "Protocol mismatch. The server is older than version 4.1"));
        }
        self.encrypt(wire, greeting, capabilities, host)?;
        let method = greeting.method.name().to_vec();
        let proof = if greeting.method.is_known() {
            greeting.method.proof(&self.password, wire.stream()?.is_private(), self.cleartext)?
        } else {
            Vec::new() // it asks again, with a method for this user
        };
        self.write_response(wire, greeting, capabilities, &method, &proof)?;
        let ok = self.converse(wire, greeting)?;
        wire.trust();
        if capabilities & can::COMPRESS != 0 {
            wire.map_stream(|stream| match stream {
                Stream::Direct(channel) => Ok(Stream::Compressed(Box::new(Compressed::new(channel)))),
                compressed @ Stream::Compressed(_) => Ok(compressed),
            })?;
        }
        Ok(Session {
            capabilities,
            ok: OkReply { status: if ok.status == 0 { greeting.status } else { ok.status }, ..ok },
        })
    }

    fn encrypt(&self, wire: &mut Wire, greeting: &Greeting, capabilities: u32, host: &str) -> Result<()> {
        let Some(tls) = &self.tls else { return Ok(()) };
        if capabilities & can::SSL == 0 {
            if self.tls_optional {
                return Ok(());
            }
            return Err(Error::tls("SSL is required, but the server does not support it"));
        }
        self.write_head(wire, greeting, capabilities);
        wire.end_packet()?;
        wire.flush()?;
        wire.map_stream(|stream| match stream {
            Stream::Direct(Channel::Plain(socket)) => Ok(Stream::Direct(tls.begin(socket, host)?)),
            stream => Ok(stream),
        })
    }

    /// The part that is also sent before encryption begins.
    fn write_head<'w>(&self, wire: &'w mut Wire, greeting: &Greeting, capabilities: u32) -> &'w mut Vec<u8> {
        let out = wire.begin_packet();
        out.extend_from_slice(&capabilities.to_le_bytes());
        out.extend_from_slice(&u32::try_from(MAX_PAYLOAD_BYTES).unwrap_or(u32::MAX).to_le_bytes());
        let [charset, _] = self.collation.unwrap_or(greeting.charset.into()).to_le_bytes();
        out.push(charset);
        out.extend_from_slice(&[0; 23]);
        out
    }

    fn write_response(
        &self,
        wire: &mut Wire,
        greeting: &Greeting,
        capabilities: u32,
        method: &[u8],
        proof: &[u8],
    ) -> Result<()> {
        let out = self.write_head(wire, greeting, capabilities);
        out.extend_from_slice(&self.user);
        out.push(0);
        if capabilities & can::PLUGIN_AUTH_LENENC != 0 {
            put_string(out, proof);
        } else {
            out.push(u8::try_from(proof.len()).map_err(|_| Error::malformed("a proof of more than 255 bytes"))?);
            out.extend_from_slice(proof);
        }
        if let Some(database) = self.database.as_ref().filter(|_| capabilities & can::CONNECT_WITH_DB != 0) {
            out.extend_from_slice(database);
            out.push(0);
        }
        if capabilities & can::PLUGIN_AUTH != 0 {
            out.extend_from_slice(method);
            out.push(0);
        }
        if capabilities & can::CONNECT_ATTRS != 0 {
            let mut attributes = Vec::new();
            for (name, value) in &self.attributes {
                put_string(&mut attributes, name.as_bytes());
                put_string(&mut attributes, value.as_bytes());
            }
            put_string(out, &attributes);
        }
        wire.end_packet()?;
        wire.flush()
    }

    /// Answers questions until the server has decided.
    fn converse(&self, wire: &mut Wire, greeting: &Greeting) -> Result<OkReply> {
        let mut switched: Option<Method> = None;
        for _ in 0..MAX_AUTH_ROUNDS_COUNT {
            let packet = wire.packet()?.to_vec();
            match packet.split_first() {
                Some((&SWITCH, rest)) if !rest.is_empty() => {
                    let mut bytes = Bytes::new(rest);
                    let method = Method::new(bytes.until_nul(), bytes.rest());
                    let proof = method.proof(&self.password, wire.stream()?.is_private(), self.cleartext)?;
                    wire.begin_packet().extend_from_slice(&proof);
                    wire.end_packet()?;
                    wire.flush()?;
                    switched = Some(method);
                }
                Some((&MORE, more)) => {
                    switched.as_ref().unwrap_or(&greeting.method).go_on(wire, more, &self.password)?;
                }
                _ => return reply::ok(&packet).map_err(|error| Error { lost: true, ..error }),
            }
        }
        Err(Error::malformed("the server keeps asking for authentication"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &[u8] = b"\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\0\x05\0\0\0abcdefgh\0\xfe\xff\x2d\x02\0\xff\xff\x15\
        \0\0\0\0\0\0\x1d\0\0\0ijklmnopqrst\0mysql_native_password\0";

    #[test]
    fn mariadb_has_its_own_version() {
        let greeting = Greeting::parse(GREETING).unwrap();
        assert_eq!(greeting.version, "10.11.19-MariaDB-0+deb12u1");
        assert_eq!((greeting.version_number(), greeting.is_mariadb, greeting.thread_id), (101_119, true, 5));
        assert!(greeting.method.is_known());
    }

    #[test]
    fn no_greeting_makes_a_panic() {
        for end in 0..GREETING.len() {
            let _ = Greeting::parse(&GREETING[..end]);
        }
        let old = Greeting::parse(b"\x09rest").unwrap_err();
        assert_eq!((old.number, old.lost), (2007, true));
    }

    #[test]
    fn odd_versions_have_a_number_too() {
        let greeting = |version: &str| Greeting { version: version.into(), ..Greeting::parse(GREETING).unwrap() };
        assert_eq!(greeting("8.0.36-log").version_number(), 80_036);
        assert_eq!(greeting("nonsense").version_number(), 0);
        assert_eq!(greeting("4294967295.9.9").version_number(), 99_990_909);
    }
}

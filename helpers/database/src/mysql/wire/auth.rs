//! Proving that the password is known.

use std::panic::catch_unwind;

use daemon::Secret;
use mysql_common::scramble::{create_response_for_ed25519, scramble_native, scramble_sha256};

use super::packet::Wire;
use crate::mysql::error::{CR_AUTH_PLUGIN_CANNOT_LOAD, Error, Result};

/// What servers use when they do not say.
pub const NATIVE: &[u8] = b"mysql_native_password";
const SHA2: &[u8] = b"caching_sha2_password";
const ED25519: &[u8] = b"client_ed25519";
const CLEAR: &[u8] = b"mysql_clear_password";

/// `caching_sha2_password`: the server knew the proof.
const SHA2_KNOWN: u8 = 3;
/// It needs the password itself.
const SHA2_FULL: u8 = 4;
/// Asks for the server's key.
const SHA2_KEY: u8 = 2;
/// Of the packet that asks for another method, or for more.
pub const SWITCH: u8 = 0xfe;
/// Of the packet that asks for more.
pub const MORE: u8 = 0x01;

/// A password; its bytes are kept as the characters with these numbers, so that none is altered.
pub fn secret(bytes: &[u8]) -> Secret {
    Secret::new(bytes.iter().map(|&byte| char::from(byte)).collect::<String>())
}

/// Its bytes.
pub fn expose(secret: &Secret) -> Vec<u8> {
    secret.expose().chars().filter_map(|char| u8::try_from(u32::from(char)).ok()).collect()
}

/// The method that is being used, with the server's random bytes.
#[derive(Debug)]
pub struct Method {
    name: Vec<u8>,
    nonce: Vec<u8>,
}

impl Method {
    /// A method the server named.
    pub fn new(name: &[u8], nonce: &[u8]) -> Self {
        let nonce = nonce.strip_suffix(&[0]).unwrap_or(nonce);
        Self { name: if name.is_empty() { NATIVE } else { name }.to_vec(), nonce: nonce.to_vec() }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether it is one that is known here.
    pub fn is_known(&self) -> bool {
        [NATIVE, SHA2, ED25519, CLEAR].contains(&self.name.as_slice())
    }

    /// The first answer.
    pub fn proof(&self, password: &Secret, is_private: bool, cleartext: bool) -> Result<Vec<u8>> {
        let password = expose(password);
        match self.name.as_slice() {
            NATIVE => Ok(scramble_native(&self.nonce, &password).map_or_else(Vec::new, |proof| proof.to_vec())),
            SHA2 => Ok(scramble_sha256(&self.nonce, &password).map_or_else(Vec::new, |proof| proof.to_vec())),
            ED25519 if password.is_empty() => Ok(Vec::new()),
            ED25519 => Ok(create_response_for_ed25519(&password, &self.nonce).to_vec()),
            CLEAR if cleartext && is_private => Ok(terminated(password)),
            CLEAR => {
                Err(self.cannot_load("the password would be sent as it is; that has to be allowed, and be encrypted"))
            }
            _ => Err(self.cannot_load("it is not one of those supported here")),
        }
    }

    fn cannot_load(&self, why: &str) -> Error {
        let name = String::from_utf8_lossy(&self.name);
        let text = format!("Authentication plugin '{name}' cannot be loaded: {why}");
        Error::fatal(CR_AUTH_PLUGIN_CANNOT_LOAD, text)
    }

    /// Answers a packet that asks for more; its first byte is off.
    pub fn go_on(&self, wire: &mut Wire, more: &[u8], password: &Secret) -> Result<()> {
        match (self.name.as_slice(), more) {
            (SHA2, [SHA2_KNOWN]) => Ok(()),
            (SHA2, [SHA2_FULL]) if wire.stream()?.is_private() => reply(wire, &terminated(expose(password))),
            (SHA2, [SHA2_FULL]) => {
                reply(wire, &[SHA2_KEY])?;
                let answer = wire.packet()?;
                let [MORE, key @ ..] = answer else {
                    return Err(Error::malformed("the server's key was expected"));
                };
                let encrypted = self.encrypt(key, password)?;
                reply(wire, &encrypted)
            }
            _ => Err(Error::malformed("the server asks for more than its authentication method does")),
        }
    }

    /// The password for the server's eyes only.
    fn encrypt(&self, key: &[u8], password: &Secret) -> Result<Vec<u8>> {
        let bad = || Error::malformed("the server's public key is none");
        if self.nonce.is_empty() {
            return Err(bad());
        }
        let mut password = terminated(expose(password));
        for (byte, nonce) in password.iter_mut().zip(self.nonce.iter().cycle()) {
            *byte ^= nonce;
        }
        // The library takes a well-formed key for granted.
        catch_unwind(|| mysql_common::crypto::encrypt(&password, key)).map_err(|_| bad())
    }
}

fn terminated(mut password: Vec<u8>) -> Vec<u8> {
    password.push(0);
    password
}

fn reply(wire: &mut Wire, bytes: &[u8]) -> Result<()> {
    wire.begin_packet().extend_from_slice(bytes);
    wire.end_packet()?;
    wire.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_any_bytes_come_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(expose(&secret(&bytes)), bytes);
    }

    #[test]
    fn a_key_that_is_none_is_an_error() {
        let method = Method::new(SHA2, b"12345678901234567890\0");
        for key in [&b""[..], b"rubbish", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(method.encrypt(key, &secret(b"x")).unwrap_err().number, 2027);
        }
    }

    #[test]
    fn a_password_is_never_sent_in_the_open() {
        let clear = Method::new(CLEAR, b"");
        assert!(clear.proof(&secret(b"x"), false, true).is_err());
        assert!(clear.proof(&secret(b"x"), true, false).is_err());
        assert_eq!(clear.proof(&secret(b"x"), true, true).unwrap(), b"x\0");
    }
}

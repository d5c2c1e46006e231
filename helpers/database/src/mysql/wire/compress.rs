//! Compression of the protocol: frames of zlib around the stream of packets.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::stream::Channel;

/// Length of the stream in a frame (3 bytes), its number (1), its length before compression (3; 0: not compressed).
const HEAD_BYTES: usize = 7;
/// Shorter frames are not compressed.
const MIN_BYTES: usize = 50;
/// The longest frame.
const MAX_BYTES: usize = 0xff_ffff;

/// A channel whose bytes are compressed.
#[derive(Debug)]
pub struct Compressed {
    channel: Channel,
    seq: u8,
    /// What was unpacked and not read yet.
    data: Vec<u8>,
    at: usize,
}

impl Compressed {
    /// Compresses what goes through `channel` from now on.
    pub fn new(channel: Channel) -> Self {
        Self { channel, seq: 0, data: Vec::new(), at: 0 }
    }

    /// The channel underneath.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether unpacked bytes wait.
    pub fn has_data(&self) -> bool {
        self.at < self.data.len()
    }

    /// The next frame has the number 0.
    pub fn begin_command(&mut self) {
        self.seq = 0;
    }

    /// Writes it all.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(MAX_BYTES) {
            let mut frame = vec![0; HEAD_BYTES];
            let mut unpacked = 0;
            if part.len() >= MIN_BYTES {
                let mut encoder = ZlibEncoder::new(frame, Compression::default());
                encoder.write_all(part)?;
                frame = encoder.finish()?;
                unpacked = part.len();
            }
            if unpacked == 0 || frame.len() - HEAD_BYTES >= part.len() {
                frame.truncate(HEAD_BYTES);
                frame.extend_from_slice(part);
                unpacked = 0;
            }
            let len = frame.len() - HEAD_BYTES;
            frame[..3].copy_from_slice(&three(len));
            frame[3] = self.seq;
            frame[4..7].copy_from_slice(&three(unpacked));
            self.seq = self.seq.wrapping_add(1);
            self.channel.write_all(&frame)?;
        }
        self.channel.flush()
    }

    /// Reads what is unpacked, or the next frame; 0 at the end.
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.data.len() {
            let mut head = [0; HEAD_BYTES];
            let first = self.channel.read(&mut head)?;
            if first == 0 {
                return Ok(0);
            }
            self.channel.read_exact(&mut head[first..])?;
            self.seq = head[3].wrapping_add(1);
            self.unpack(length(&head[..3]), length(&head[4..]))?;
        }
        let len = buf.len().min(self.data.len() - self.at);
        buf[..len].copy_from_slice(&self.data[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }

    /// Reads a frame's bytes. It may be no longer than it said, packed or unpacked.
    fn unpack(&mut self, packed: usize, unpacked: usize) -> io::Result<()> {
        self.data.clear();
        self.at = 0;
        let mut frame = (&mut self.channel).take(packed as u64);
        if unpacked == 0 {
            frame.read_to_end(&mut self.data)?;
            return check(self.data.len() == packed);
        }
        let mut bytes = Vec::new();
        frame.read_to_end(&mut bytes)?;
        check(bytes.len() == packed)?;
        ZlibDecoder::new(&bytes[..]).take(unpacked as u64 + 1).read_to_end(&mut self.data)?;
        check(self.data.len() == unpacked)
    }
}

fn check(fits: bool) -> io::Result<()> {
    if fits { Ok(()) } else { Err(io::Error::other("a compressed packet is not as long as it says")) }
}

fn three(len: usize) -> [u8; 3] {
    let [a, b, c, ..] = len.to_le_bytes();
    [a, b, c]
}

fn length(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |len, byte| len << 8 | usize::from(*byte))
}

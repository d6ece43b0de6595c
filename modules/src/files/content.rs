//! What a file is to hold: bytes, or a file of the control host, with the sums by which the node
//! recognises them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::host::Input;
use crate::outcome::Failure;
use crate::source;

/// Up to this many bytes are sent without asking first whether the node needs them: that costs less
/// than another round trip.
pub const AT_ONCE: u64 = 256 * 1024;

/// Bytes for a file on a node.
#[derive(Debug, Clone)]
pub struct Content {
    source: Source,
    /// What they sum up to.
    pub sums: Sums,
}

#[derive(Debug, Clone)]
enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// Size and checksums of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// How many they are.
    pub size: u64,
    /// For recognising them.
    pub sha256: String,
    /// For results: the checksum that Ansible gives.
    pub sha1: String,
    /// For nodes without sha256sum: what `cksum` of POSIX says.
    pub cksum: u32,
}

impl Content {
    /// Bytes in memory.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        let mut summing = Summing::default();
        summing.add(&bytes);
        Self {
            source: Source::Bytes(bytes),
            sums: summing.finish(),
        }
    }

    /// A file of the control host: a small one is read into memory, a large one is streamed.
    pub fn file(path: &Path) -> Result<Self, Failure> {
        let read = || -> io::Result<Self> {
            if source::open(path)?.1 <= AT_ONCE {
                return Ok(Self::bytes(source::read(path)?));
            }
            Ok(Self {
                source: Source::File(path.to_owned()),
                sums: sums_of(path)?,
            })
        };
        read().map_err(|error| {
            Failure::new(format!(
                "cannot read {} on the control host: {error}",
                path.display()
            ))
        })
    }

    /// Whether it is sent without asking.
    pub fn at_once(&self) -> bool {
        self.sums.size <= AT_ONCE
    }

    /// As the standard input of a script.
    pub fn input(&self) -> Input {
        match &self.source {
            Source::Bytes(bytes) => Input::Bytes(bytes.clone()),
            Source::File(path) => Input::File(path.clone()),
        }
    }

    /// The bytes, if they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            Source::File(_) => None,
        }
    }
}

impl Sums {
    /// Every way in which `w_digest` of the kit may say them.
    pub fn digests(&self) -> String {
        format!("sha256:{} cksum:{}", self.sha256, self.cksum)
    }

    /// Whether `sum`, as `w_digest` of the kit says it, is that of these bytes.
    pub fn match_digest(&self, sum: &str) -> bool {
        match sum.split_once(':') {
            Some(("sha256", hex)) => hex == self.sha256,
            Some(("cksum", number)) => number == self.cksum.to_string(),
            _ => false,
        }
    }
}

/// The sums of a file of the control host.
pub fn sums_of(path: &Path) -> io::Result<Sums> {
    sums_of_file(&mut source::open(path)?.0)
}

/// The sums of what `file` still holds.
pub fn sums_of_file(file: &mut impl Read) -> io::Result<Sums> {
    let mut summing = Summing::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(summing.finish()),
            count => summing.add(&buffer[..count]),
        }
    }
}

#[derive(Default)]
struct Summing {
    size: u64,
    sha256: Sha256,
    sha1: Sha1,
    crc: u32,
}

impl Summing {
    fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.sha256.update(bytes);
        self.sha1.update(bytes);
        self.crc = bytes.iter().fold(self.crc, |crc, byte| step(crc, *byte));
    }

    fn finish(self) -> Sums {
        let mut crc = self.crc;
        let mut size = self.size;
        while size > 0 {
            crc = step(crc, size.to_le_bytes()[0]);
            size >>= 8;
        }
        Sums {
            size: self.size,
            sha256: format!("{:x}", self.sha256.finalize()),
            sha1: format!("{:x}", self.sha1.finalize()),
            cksum: !crc,
        }
    }
}

/// One byte more of the checksum of POSIX `cksum`.
fn step(crc: u32, byte: u8) -> u32 {
    crc << 8 ^ CRC[usize::from(crc.to_be_bytes()[0] ^ byte)]
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        // Cannot be truncated: the index is below 256.
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x04C1_1DB7
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_tools() {
        let sums = Content::bytes(b"hello\n".to_vec()).sums;
        assert_eq!(sums.size, 6);
        // `printf 'hello\n' | cksum`, `sha1sum`, `sha256sum`
        assert_eq!(sums.cksum, 3_015_617_425);
        assert_eq!(sums.sha1, "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert!(sums.match_digest(
            "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        ));
        assert!(sums.match_digest("cksum:3015617425"));
        assert!(!sums.match_digest("absent"));
        assert_eq!(Content::bytes(Vec::new()).sums.cksum, 4_294_967_295);
    }

    #[test]
    fn a_large_file_is_summed_without_being_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = vec![7; 300_000];
        std::fs::write(file.path(), &bytes).unwrap();
        let content = Content::file(file.path()).unwrap();
        assert!(content.in_memory().is_none());
        assert!(!content.at_once());
        assert_eq!(content.sums, Content::bytes(bytes).sums);
    }
}

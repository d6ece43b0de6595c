//! What a program printed on one stream.

use std::fmt;
use std::sync::Arc;

use super::account::Charge;
use super::spilled::Spilled;
use super::text::Transcript;

/// What a program printed on one stream: bytes in memory, or text in a file. Cloning it shares it.
#[derive(Clone)]
pub struct Printed(PrintedStore);

#[derive(Clone)]
enum PrintedStore {
    Memory(Arc<InMemory>),
    File(Arc<Spilled>),
}

#[derive(Default)]
pub(super) struct InMemory {
    bytes: Vec<u8>,
    charge: Option<Charge>,
}

impl Printed {
    pub(super) fn charged(bytes: Vec<u8>, charge: Charge) -> Self {
        Self(PrintedStore::Memory(Arc::new(InMemory {
            bytes,
            charge: Some(charge),
        })))
    }

    pub(super) fn spilled(spilled: Spilled) -> Self {
        Self(PrintedStore::File(Arc::new(spilled)))
    }

    /// The bytes, unless they are in a file: answers to modules never are.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.0 {
            PrintedStore::Memory(memory) => Some(&memory.bytes),
            PrintedStore::File(_) => None,
        }
    }

    /// The bytes; none where they are in a file.
    pub fn bytes(&self) -> &[u8] {
        self.in_memory().unwrap_or_default()
    }

    /// Whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            PrintedStore::Memory(memory) => memory.bytes.is_empty(),
            PrintedStore::File(file) => file.length == 0,
        }
    }

    /// As text, kept once; bytes that are no UTF-8 are replaced. `strip`: without newlines at its end.
    pub fn transcript(self, strip: bool) -> Transcript {
        let memory = match self.0 {
            PrintedStore::File(file) => return Transcript::in_file(file, strip),
            PrintedStore::Memory(memory) => memory,
        };
        let InMemory { bytes, charge } =
            Arc::try_unwrap(memory).unwrap_or_else(|shared| InMemory {
                bytes: shared.bytes.clone(),
                charge: None,
            });
        let text = String::from_utf8_lossy(&bytes);
        let text = if strip {
            text.trim_end_matches(['\r', '\n'])
        } else {
            &text
        };
        Transcript::in_memory(Arc::from(text), charge)
    }

    /// The beginning as text; all of it where it is in memory.
    pub fn text(&self) -> String {
        match &self.0 {
            PrintedStore::Memory(memory) => String::from_utf8_lossy(&memory.bytes).into_owned(),
            PrintedStore::File(_) => self.clone().transcript(false).head(1 << 20),
        }
    }
}

impl Default for Printed {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for Printed {
    fn from(bytes: Vec<u8>) -> Self {
        Self(PrintedStore::Memory(Arc::new(InMemory {
            bytes,
            charge: None,
        })))
    }
}

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PrintedStore::Memory(memory) => {
                write!(f, "{:?}", String::from_utf8_lossy(&memory.bytes))
            }
            PrintedStore::File(file) => write!(f, "{} bytes in a file", file.length),
        }
    }
}

impl PartialEq for Printed {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (PrintedStore::Memory(one), PrintedStore::Memory(other)) => one.bytes == other.bytes,
            (PrintedStore::File(one), PrintedStore::File(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Printed {}

impl<T: AsRef<[u8]>> PartialEq<T> for Printed {
    fn eq(&self, other: &T) -> bool {
        self.in_memory() == Some(other.as_ref())
    }
}

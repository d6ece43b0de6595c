//! Turns the bytes of one input into what a hostile machine or file would send, and takes it through
//! the program to where it ends: one function a kind of input. None may panic, hang or take more
//! memory than an input is worth, and each checks what must hold of its results.
//!
//! There for tests and with the feature `fuzzing` only. The fuzzers are in `tests/fuzz`; the inputs
//! that they found go through these functions in the tests of this crate too (`corpus`).

mod condition;
#[cfg(test)]
mod corpus;
mod facts;
mod frame;
mod inventory;
mod lookups;
mod template;
mod world;
mod yaml;

pub use condition::condition;
pub use facts::facts;
pub use frame::frame;
pub use inventory::inventory;
#[cfg(test)]
pub(crate) use lookups::calls;
pub(crate) use lookups::looked_up;
pub use template::template;
pub use yaml::yaml;

/// Takes an input through the program.
pub type FuzzTarget = fn(&[u8]);

/// All kinds of inputs, by name.
pub const TARGETS: [(&str, FuzzTarget); 6] = [
    ("frame", frame),
    ("facts", facts),
    ("inventory", inventory),
    ("yaml", yaml),
    ("template", template),
    ("condition", condition),
];

/// What parts the texts of an input: a line of its own.
const SEPARATOR: &str = "\n=====\n";

/// The texts of an input; as many as are asked for, empty where it has no more.
fn parts<const N: usize>(input: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.splitn(N, SEPARATOR);
    std::array::from_fn(|_| parts.next().unwrap_or_default().to_owned())
}

//! What all fuzzers do with an input: keep it for the case that the process dies without a word, and
//! take it through the program with no more memory than an input may take.

use std::alloc::System;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use cap::Cap;
use windlass::fuzzing::FuzzTarget;

/// Bytes that one input may take beyond what is taken already.
const LIMIT: usize = 256 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Takes an input through the program.
pub fn run(target: FuzzTarget, input: &[u8]) {
    keep(input);
    let limit = ALLOCATOR.allocated() + LIMIT;
    ALLOCATOR.set_limit(limit).expect("less is taken");
    target(input);
    ALLOCATOR.set_limit(usize::MAX).expect("less is taken");
}

/// Writes the input to the file that the environment names. A stack that overflows ends the process
/// before libFuzzer can write it down.
fn keep(input: &[u8]) {
    static LAST: OnceLock<Option<File>> = OnceLock::new();
    let last = LAST.get_or_init(|| File::create(std::env::var_os("FUZZ_LAST")?).ok());
    if let Some(file) = last {
        let written = file
            .write_all_at(input, 0)
            .and_then(|()| file.set_len(input.len() as u64));
        written.expect("the input can be kept");
    }
}

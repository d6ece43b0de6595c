//! The login shell, and the programs, of a node that misbehaves: see `windlass_tests::hostile`.

use std::process::ExitCode;

fn main() -> ExitCode {
    windlass_tests::hostile::login::main()
}

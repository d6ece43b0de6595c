//! The program as users have it, for tests of this package: Cargo tells a test only where the
//! programs of its own package are.

use std::process::ExitCode;

fn main() -> ExitCode {
    windlass::cli::main()
}

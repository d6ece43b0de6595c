#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| windlass_fuzz::run(windlass::fuzzing::facts, input));

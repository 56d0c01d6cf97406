#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| login_manager::fuzzing::tokens(data));

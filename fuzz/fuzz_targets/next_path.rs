#![no_main]

#[path = "../../tests/on_site/mod.rs"]
mod on_site;

libfuzzer_sys::fuzz_target!(|data: &[u8]| on_site::next_path(data));

//! Tells the linker what a Node addon needs (see napi-build), and on Linux which code lies together.
use std::env;
use std::path::PathBuf;

/// Linkers that refuse a script of this kind, or were not tried with it, as flags or the linker's name tell of them.
const OTHERS: [&str; 4] = ["mold", "gold", "wild", "zig"];

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-changed=often.ld");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") && !is_linked_by_others() {
        let script = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"))
            .join("often.ld");
        // Two arguments: a path may hold a comma, at which `-Wl,` would split it.
        println!("cargo:rustc-cdylib-link-arg=-T");
        println!("cargo:rustc-cdylib-link-arg={}", script.display());
    }
}

/// What the script gives is resident memory, so who links otherwise does without.
fn is_linked_by_others() -> bool {
    ["RUSTC_LINKER", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|name| {
        println!("cargo:rerun-if-env-changed={name}");
        let told = env::var(name).unwrap_or_default();
        OTHERS.iter().any(|other| told.contains(other))
    })
}

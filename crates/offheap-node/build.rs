//! Tells the linker what a Node addon needs (see napi-build), and on Linux which code lies together.
use std::env;
use std::path::PathBuf;

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-changed=often.ld");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        let script = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"))
            .join("often.ld");
        // Two arguments: a path may hold a comma, at which `-Wl,` would split it.
        println!("cargo:rustc-cdylib-link-arg=-T");
        println!("cargo:rustc-cdylib-link-arg={}", script.display());
    }
}

//! Tells the linker what a Node addon needs (see napi-build).

fn main() {
    napi_build::setup();
}

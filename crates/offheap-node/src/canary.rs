//! The bugs that a sanitizer must report when they happen below JavaScript; only with `--cfg offheap_canary`.

use napi_derive::napi;
use offheap_core::raw::canary;

/// Does what `bug` names. False when there is none of that name.
#[napi]
#[must_use]
pub fn plant(bug: String) -> bool {
    match bug.as_str() {
        "overflow" => canary::overflow(),
        "use-after-free" => canary::use_after_free(),
        _ => return false,
    }
    true
}

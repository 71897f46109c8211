//! Raw Node-API: the binding's only unsafe file. Functions without napi-rs's glue (which costs
//! 120 to 210 ns a call), ArrayBuffers over our memory, and their finalizers.
//!
//! Three rules keep it sound. Every entry from C catches panics. Every value that comes from
//! JavaScript is checked before it is believed. Memory that an ArrayBuffer shows is never unmapped,
//! so whatever becomes of the ArrayBuffer, its address stays good.
#![expect(unsafe_code, reason = "Node-API is a C interface; every other file of the binding forbids it")]

use napi::bindgen_prelude::Object;
use napi::{Env, JsValue, sys};
use offheap_core::manager::BufferRecord;
use offheap_core::raw::bytes::Bytes;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::thread::{self, ThreadId};

/// Most arguments of a native function.
const ARGUMENTS_MAX: usize = 8;

/// What a native function gives back.
pub enum Answer {
    /// `undefined`; a status may lie in the table.
    Nothing,
    /// A number.
    Number(f64),
    /// A value that one of the functions below made.
    Value(sys::napi_value),
}

/// One call from JavaScript.
pub struct Call<'a, S> {
    /// The isolate's state.
    pub state: &'a S,
    env: sys::napi_env,
    arguments: &'a [sys::napi_value],
}

/// A native function over a state.
pub type Native<S> = fn(&Call<'_, S>) -> Answer;

/// What a JavaScript function object points at. Lives as long as the isolate's state.
struct Bound<S> {
    state: *const S,
    function: Native<S>,
}

impl<S> Call<'_, S> {
    /// The number at a place; `None` for anything else.
    pub fn number(&self, index: usize) -> Option<f64> {
        let mut number = 0.0;
        // SAFETY: - `env` is this callback's. - the argument is a valid handle: `napi_get_cb_info`
        //   fills missing ones with undefined. - `number` is writable. A value of another type
        //   gives a status other than ok.
        let status =
            unsafe { sys::napi_get_value_double(self.env, *self.arguments.get(index)?, &raw mut number) };
        (status == sys::Status::napi_ok).then_some(number)
    }

    /// The integer at a place; `None` unless it is a number, whole, and 0 … 2^53 − 1.
    pub fn integer(&self, index: usize) -> Option<u64> {
        let number = self.number(index)?;
        let whole = (0.0..9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
        whole.then_some(number as u64)
    }

    /// The bytes of the Uint8Array (or Buffer) at a place; `None` for anything else. A detached one
    /// has none.
    pub fn bytes(&self, index: usize) -> Option<Bytes<'_>> {
        let value = *self.arguments.get(index)?;
        let (mut is_typed_array, mut kind, mut length, mut data) = (false, 0, 0, ptr::null_mut());
        // SAFETY: `env` and the handle are this callback's; the out pointer is writable.
        let status = unsafe { sys::napi_is_typedarray(self.env, value, &raw mut is_typed_array) };
        if status != sys::Status::napi_ok || !is_typed_array {
            return None;
        }
        // SAFETY: as above, and `value` is a typed array, as the call demands; the buffer and the
        // offset are not asked for.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
            return None;
        }
        // An empty array may have no data pointer.
        let start = NonNull::new(data.cast()).or((length == 0).then(NonNull::dangling))?;
        // SAFETY: - valid: V8 says that `length` bytes start at `data`; the array is an argument,
        //   hence alive, and nothing detaches it during this call, for no JavaScript runs. The
        //   borrow of `self` ends the range with the call. - no Rust reference: V8 made the memory.
        // - size: V8's arrays are far below `isize::MAX`.
        unsafe { Some(Bytes::from_raw_parts(start, length)) }
    }

    /// The length of the ArrayBuffer at a place and its address; `None` for anything else.
    pub fn array_buffer(&self, index: usize) -> Option<(u64, usize)> {
        let value = *self.arguments.get(index)?;
        let (mut data, mut length) = (ptr::null_mut(), 0);
        // SAFETY: `env` and the handle are this callback's; both out pointers are writable; a value
        // of another type gives a status other than ok.
        let status =
            unsafe { sys::napi_get_arraybuffer_info(self.env, value, &raw mut data, &raw mut length) };
        (status == sys::Status::napi_ok).then_some((data as u64, length))
    }

    /// Detaches the ArrayBuffer at a place. True when it is detached afterwards. Not for buffers
    /// that the user could have marked: V8 ends the process when a detach key does not match.
    pub fn detach(&self, index: usize) -> bool {
        let Some(value) = self.arguments.get(index) else { return false };
        // SAFETY: `env` and the handle are this callback's; other values are refused by the status.
        let status = unsafe { sys::napi_detach_arraybuffer(self.env, *value) };
        status == sys::Status::napi_ok && self.is_detached(index)
    }

    /// Whether the value at a place is a detached ArrayBuffer.
    pub fn is_detached(&self, index: usize) -> bool {
        let Some(value) = self.arguments.get(index) else { return false };
        let mut detached = false;
        // SAFETY: as in `detach`, and the out pointer is writable.
        let status = unsafe { sys::napi_is_detached_arraybuffer(self.env, *value, &raw mut detached) };
        status == sys::Status::napi_ok && detached
    }

    /// The present moment.
    pub const fn turn(&self) -> Turn {
        Turn(self.env)
    }

    /// An ArrayBuffer over bytes of ours that no script ever sees: it has no finalizer.
    pub fn hidden_buffer(&self, address: usize, size: usize) -> Answer {
        self.external(address, size, None)
    }

    /// An ArrayBuffer over a block's bytes, for a script. When it and all that it was moved to are
    /// gone, and a later turn of the loop has begun, `gone` is called; not when the isolate ends.
    pub fn block_buffer(&self, bytes: Bytes<'static>, record: BufferRecord, gone: Gone) -> Answer {
        let hint = Hint { record, gone, thread: thread::current().id() };
        self.external(bytes.address(), bytes.size(), Some(Box::new(hint)))
    }

    fn external(&self, address: usize, size: usize, record: Option<Box<Hint>>) -> Answer {
        if address == 0 || size == 0 {
            return Answer::Nothing; // Node aborts on a null pointer, and an empty buffer shows nothing
        }
        let mut value = ptr::null_mut();
        let finalize: sys::napi_finalize = if record.is_some() { Some(finalize_buffer) } else { None };
        let hint = record.map_or(ptr::null_mut(), Box::into_raw);
        // SAFETY: - `env` is this callback's. - `address` is a region of ours that is never unmapped;
        //   whether its pages are committed is the caller's word, and nothing reads them here.
        // - `hint` is a box that only the finalizer takes back, once.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                self.env,
                address as *mut c_void,
                size,
                finalize,
                hint.cast(),
                &raw mut value,
            )
        };
        if status == sys::Status::napi_ok {
            return Answer::Value(value);
        }
        if !hint.is_null() {
            // SAFETY: the call failed, so no finalizer will run (Node-API refuses before it takes
            // ownership); the box is still ours alone.
            drop(unsafe { Box::from_raw(hint) });
        }
        Answer::Nothing
    }
}

/// What is called when the last ArrayBuffer over a block's memory is gone.
pub type Gone = fn(BufferRecord, Turn);

/// What a finalizer is given.
struct Hint {
    record: BufferRecord,
    gone: Gone,
    thread: ThreadId, // the isolate's: another runtime may run finalizers elsewhere, where nothing may be called
}

/// A moment in which Node-API may be used: inside a call, or a finalizer of a normal turn.
#[derive(Clone, Copy)]
pub struct Turn(sys::napi_env);

impl Turn {
    /// The present moment, if it is one: at an isolate's end finalizers run while other isolates may
    /// still read what was transferred to them, and nothing can be called.
    fn now(env: sys::napi_env) -> Option<Self> {
        let (mut object, mut key, mut found) = (ptr::null_mut(), ptr::null_mut(), false);
        // SAFETY: - `env` is the running finalizer's. - all out pointers are writable. - the text is
        //   one byte of UTF-8. - each call takes what the one before made, or is not reached.
        // The last one runs no script, since the object is new and has no such property, but it is
        // refused when scripts cannot run any more.
        let is_normal = unsafe {
            sys::napi_create_object(env, &raw mut object) == sys::Status::napi_ok
                && sys::napi_create_string_utf8(env, c"x".as_ptr(), 1, &raw mut key) == sys::Status::napi_ok
                && sys::napi_has_own_property(env, object, key, &raw mut found) == sys::Status::napi_ok
        };
        is_normal.then_some(Self(env))
    }

    /// The object that a weak reference leads to, while that lives.
    fn object(self, reference: sys::napi_ref) -> Option<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: - `env` may be used now, and a handle scope is open. - the reference was made in
        //   this env and not deleted. - the out pointer is writable.
        let status = unsafe { sys::napi_get_reference_value(self.0, reference, &raw mut value) };
        (status == sys::Status::napi_ok && !value.is_null()).then_some(value)
    }
}

/// Weak references to the objects that hold chunks' buffers while a block's handle lives, by slot.
#[derive(Default)]
pub struct Holders(RefCell<HashMap<u32, sys::napi_ref>>);

impl Holders {
    /// Remembers the object at an argument's place as the holder of a chunk; nothing but an object is.
    pub fn set<S>(&self, call: &Call<'_, S>, slot: u32, argument: usize) {
        let Some(value) = call.arguments.get(argument) else { return };
        let mut reference = ptr::null_mut();
        // SAFETY: `env` and the handle are this callback's; count 0 makes the reference weak; a value
        // that is no object gives a status other than ok.
        let status = unsafe { sys::napi_create_reference(call.env, *value, 0, &raw mut reference) };
        if status == sys::Status::napi_ok
            && let Some(old) = self.0.borrow_mut().insert(slot, reference)
        {
            // SAFETY: made above in an earlier call, in this env; it is in no map any more.
            unsafe { sys::napi_delete_reference(call.env, old) };
        }
    }

    /// The holder of a chunk while it lives.
    pub fn get(&self, turn: Turn, slot: u32) -> Answer {
        let reference = self.0.borrow().get(&slot).copied();
        reference.and_then(|reference| turn.object(reference)).map_or(Answer::Nothing, Answer::Value)
    }

    /// Whether the holder of a chunk lives; one that does not is forgotten.
    pub fn is_held(&self, turn: Turn, slot: u32) -> bool {
        let Some(reference) = self.0.borrow().get(&slot).copied() else { return false };
        if turn.object(reference).is_some() {
            return true;
        }
        self.0.borrow_mut().remove(&slot);
        // SAFETY: made by `set` in this env; it is in the map no more.
        unsafe { sys::napi_delete_reference(turn.0, reference) };
        false
    }
}

/// Runs when the last ArrayBuffer over the memory is gone, moved ones included.
extern "C" fn finalize_buffer(env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `hint` is the box that `external` leaked for this one finalizer call.
        let Hint { record, gone, thread } = *unsafe { Box::from_raw(hint.cast::<Hint>()) };
        if thread != thread::current().id() {
            return;
        }
        let mut scope = ptr::null_mut();
        // SAFETY: `env` is this finalizer's, and the out pointer is writable.
        if unsafe { sys::napi_open_handle_scope(env, &raw mut scope) } != sys::Status::napi_ok {
            return;
        }
        if let Some(turn) = Turn::now(env) {
            gone(record, turn);
        }
        // SAFETY: the scope opened above, the innermost one; no handle of it is used any more.
        unsafe { sys::napi_close_handle_scope(env, scope) };
    }));
}

/// Entry of every raw function.
extern "C" fn enter<S>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let (mut count, mut data) = (ARGUMENTS_MAX, ptr::null_mut());
        let mut arguments = [ptr::null_mut(); ARGUMENTS_MAX];
        // SAFETY: - `env` and `info` are this callback's. - `arguments` has room for `count` handles,
        //   and all of them are written (missing ones as undefined). - `this` is not asked for.
        unsafe {
            sys::napi_get_cb_info(
                env,
                info,
                &raw mut count,
                arguments.as_mut_ptr(),
                ptr::null_mut(),
                &raw mut data,
            );
        }
        answer::<S>(env, data, &arguments)
    }));
    give(env, answer.unwrap_or(Answer::Nothing))
}

/// Entry of a raw function that takes its arguments from the table: it asks for no handles.
extern "C" fn enter_bare<S>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let (mut count, mut data) = (0, ptr::null_mut());
        // SAFETY: as in `enter`; no argument is asked for.
        unsafe {
            sys::napi_get_cb_info(env, info, &raw mut count, ptr::null_mut(), ptr::null_mut(), &raw mut data);
        }
        answer::<S>(env, data, &[])
    }));
    give(env, answer.unwrap_or(Answer::Nothing))
}

fn answer<S>(env: sys::napi_env, data: *mut c_void, arguments: &[sys::napi_value]) -> Answer {
    if data.is_null() {
        return Answer::Nothing;
    }
    // SAFETY: `data` is the `Bound` that `export` made for this function; it and the state it points
    // at live until the isolate's cleanup hook, after which no JavaScript runs.
    let bound = unsafe { &*data.cast::<Bound<S>>() };
    // SAFETY: `export` boxed this state, of type `S`, next to `bound`; nothing holds it mutably.
    let state = unsafe { &*bound.state };
    (bound.function)(&Call { state, env, arguments })
}

fn give(env: sys::napi_env, answer: Answer) -> sys::napi_value {
    match answer {
        Answer::Nothing => ptr::null_mut(), // Node-API: undefined
        Answer::Value(value) => value,
        Answer::Number(number) => {
            let mut value = ptr::null_mut();
            // SAFETY: `env` is the running callback's, and `value` is writable.
            unsafe { sys::napi_create_double(env, number, &raw mut value) };
            value
        }
    }
}

/// A native function, its name, and whether it takes its arguments from the table alone.
pub struct Export<S> {
    /// Its name in JavaScript.
    pub name: &'static str,
    /// What it does.
    pub function: Native<S>,
    /// No JavaScript arguments.
    pub bare: bool,
}

/// Puts native functions over one isolate's `state` on `exports`. The state is dropped when the
/// isolate ends.
pub fn export<S: 'static>(env: &Env, exports: &Object<'_>, state: S, list: &[Export<S>]) -> napi::Result<()> {
    let state: Box<S> = Box::new(state);
    let pointer: *const S = &raw const *state;
    let mut bounds: Vec<Box<Bound<S>>> = Vec::with_capacity(list.len());
    for entry in list {
        let bound = Box::new(Bound { state: pointer, function: entry.function });
        let callback: sys::napi_callback = Some(if entry.bare { enter_bare::<S> } else { enter::<S> });
        let data: *const Bound<S> = &raw const *bound;
        let mut function = ptr::null_mut();
        // SAFETY: - `env` is the initialising module's. - the name is UTF-8 of the given length.
        // - `callback` matches `data`'s type `S`. - the out pointer is writable.
        let status = unsafe {
            sys::napi_create_function(
                env.raw(),
                entry.name.as_ptr().cast(),
                entry.name.len() as isize,
                callback,
                data.cast_mut().cast(),
                &raw mut function,
            )
        };
        let name = std::ffi::CString::new(entry.name)?;
        // SAFETY: - `exports` is a live object of this env. - the name ends in NUL. - `function` was
        //   just made, or the status says that it was not.
        let set = status == sys::Status::napi_ok
            && unsafe {
                sys::napi_set_named_property(env.raw(), exports.raw(), name.as_ptr(), function)
                    == sys::Status::napi_ok
            };
        if !set {
            // Functions exported before this one point at these; the module fails to load, and they leak.
            std::mem::forget((bounds, bound, state));
            return Err(napi::Error::from_reason(format!("cannot export {}", entry.name)));
        }
        bounds.push(bound);
    }
    env.add_env_cleanup_hook((bounds, state), |(bounds, state)| {
        // The state first: its drop gives the isolate's memory back. A panic must not reach C.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
        drop(bounds);
    })?;
    Ok(())
}

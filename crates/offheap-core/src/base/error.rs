//! Every way the core can refuse, with a stable code and the numbers a user needs.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What went wrong. The number crosses the native boundary, the text is public for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Code { $($(#[$doc])* $name = $number,)* }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The public text, such as `ERR_OFFHEAP_LIMIT`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The operating system gave no memory.
    OutOfMemory = 1, "ERR_OFFHEAP_OUT_OF_MEMORY";
    /// The request does not fit under the process-wide limit or a pool's own.
    Limit = 2, "ERR_OFFHEAP_LIMIT";
    /// The handle's memory is no longer this handle's.
    UseAfterFree = 3, "ERR_OFFHEAP_USE_AFTER_FREE";
    /// Freed a second time.
    DoubleFree = 4, "ERR_OFFHEAP_DOUBLE_FREE";
    /// A live handle of another owner.
    ForeignBlock = 5, "ERR_OFFHEAP_FOREIGN_BLOCK";
    /// Pinned or leased.
    InUse = 6, "ERR_OFFHEAP_IN_USE";
    /// Only the thread that owns the memory may do this.
    WrongThread = 7, "ERR_OFFHEAP_WRONG_THREAD";
    /// An allocator has no room now.
    RegionFull = 8, "ERR_OFFHEAP_REGION_FULL";
    /// The name exists with other parameters.
    ConfigMismatch = 9, "ERR_OFFHEAP_CONFIG_MISMATCH";
    /// Not on this platform, or not by this kind of memory.
    NotSupported = 10, "ERR_OFFHEAP_NOT_SUPPORTED";
    /// The memory's ArrayBuffer was transferred away.
    Escaped = 11, "ERR_OFFHEAP_ESCAPED";
    /// The allocator or pool is closed.
    Closed = 12, "ERR_OFFHEAP_CLOSED";
    /// Waited long enough.
    Timeout = 13, "ERR_OFFHEAP_TIMEOUT";
    /// The block's protection forbids it.
    Protected = 14, "ERR_OFFHEAP_PROTECTED";
    /// A structure or a guard does not hold what it must.
    Corrupted = 15, "ERR_OFFHEAP_CORRUPTED";
    /// A number outside its range (Node's own code, a RangeError).
    OutOfRange = 16, "ERR_OUT_OF_RANGE";
    /// A value outside its list (Node's own code, a TypeError).
    InvalidValue = 17, "ERR_INVALID_ARG_VALUE";
    /// A value of the wrong type (Node's own code, a TypeError).
    InvalidType = 18, "ERR_INVALID_ARG_TYPE";
}

/// A refusal. `requested` and `available` mean bytes where bytes were asked for, pins for
/// [`Code::InUse`], and are 0 where no number helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// What was asked.
    pub requested: u64,
    /// What was possible.
    pub available: u64,
}

impl Error {
    /// A refusal with both numbers.
    #[must_use]
    pub const fn new(code: Code, requested: u64, available: u64) -> Self {
        Self { code, requested, available }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code, 0, 0)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (requested {}, available {})", self.code.as_str(), self.requested, self.available)
    }
}

impl std::error::Error for Error {}

/// What every fallible function of the core returns.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_numbered_without_holes_and_named_once() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as usize, index + 1);
            assert_eq!(Code::ALL.iter().filter(|other| other.as_str() == code.as_str()).count(), 1);
        }
    }
}

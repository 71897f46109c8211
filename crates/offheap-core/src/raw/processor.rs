//! What the processor says of itself: who makes its kind, and how large its caches are.

/// A processor, as far as it matters to who moves a lot of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processor {
    /// Whether it is AMD's, or made after its plans.
    pub is_amd: bool,
    /// Size in bytes of the largest cache that holds data; `None` where the processor does not say. In a virtual
    /// machine it is mostly the host's, whose other guests use it too.
    pub cache_bytes: Option<u64>,
}

/// This one. It is asked once, at the first call: that takes some microseconds, in a virtual machine about ten times
/// as many, since the host answers.
#[must_use]
pub fn processor() -> Processor {
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    return x86::processor();
    #[cfg(not(all(target_arch = "x86_64", not(offheap_portable))))]
    Processor { is_amd: false, cache_bytes: None }
}

/// AMD's are known by SSE4a, which all of them have had since 2007 and no other maker's.
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
pub(super) fn is_amd() -> bool {
    is_x86_feature_detected!("sse4a")
}

/// Whether it has AVX-512, F and BW, at no cost in clock speed. That is so from Intel's Ice Lake on (measured by Travis
/// Downs, "Ice Lake AVX-512 Downclocking", 2020: up to 100 MHz less with one core busy, none with more) and with all of
/// AMD's; the ones before, from Skylake to Cooper Lake, run everything slower for a while. These lack VBMI2.
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
#[inline(never)] // so that short operations, which never ask, save no registers for it
pub(super) fn has_fast_avx512() -> bool {
    is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512f")
}

#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
mod x86 {
    use std::arch::x86_64::{__cpuid_count, CpuidResult};
    use std::sync::OnceLock;

    use super::{Processor, is_amd};

    /// Where Intel's tell their caches, one each index, in the form of [`cache_bytes`] ("Deterministic Cache Parameters").
    const CACHES: u32 = 4;
    /// Where AMD's do, in the same form ("Cache Topology Information").
    const CACHES_OF_AMD: u32 = 0x8000_001D;
    /// Where the extended leaves tell which of them is the last.
    const EXTENDED: u32 = 0x8000_0000;
    /// More than any processor has: an end for those that never say that there are no more.
    const CACHES_MAX: u32 = 16;

    pub(super) fn processor() -> Processor {
        static ASKED: OnceLock<Processor> = OnceLock::new();
        *ASKED.get_or_init(|| Processor { is_amd: is_amd(), cache_bytes: largest_cache() })
    }

    #[allow(unused_unsafe, reason = "newer compilers than the oldest of ours call the instruction safe")]
    fn ask(leaf: u32, index: u32) -> CpuidResult {
        // SAFETY: every x86_64 has the instruction; it reads and changes no memory, and unknown leaves answer something.
        unsafe { __cpuid_count(leaf, index) }
    }

    /// Each maker's leaf is beyond the last of the other's, or answers that there is no cache.
    fn largest_cache() -> Option<u64> {
        [CACHES, CACHES_OF_AMD]
            .into_iter()
            .filter(|&leaf| ask(leaf & EXTENDED, 0).eax >= leaf)
            .flat_map(|leaf| (0..CACHES_MAX).map_while(move |index| cache_bytes(ask(leaf, index))))
            .max()
            .filter(|&bytes| bytes > 0)
    }

    /// The size of the cache that an answer is about: ways × parts of a line × bytes of a line × sets, each told as one
    /// less. 0 of a cache that holds no data; `None` when there is no more cache.
    fn cache_bytes(answer: CpuidResult) -> Option<u64> {
        const DATA: u32 = 1;
        const DATA_AND_INSTRUCTIONS: u32 = 3;
        let kind = answer.eax & 0x1F;
        let field = |low: u32, bits: u32| u64::from(answer.ebx >> low & ((1 << bits) - 1)) + 1;
        let size = (field(22, 10) * field(12, 10) * field(0, 12)).saturating_mul(u64::from(answer.ecx) + 1);
        (kind != 0).then_some(if matches!(kind, DATA | DATA_AND_INSTRUCTIONS) { size } else { 0 })
    }

    #[cfg(test)]
    mod tests {
        use super::{CpuidResult, cache_bytes};

        fn told(eax: u32, ebx: u32, ecx: u32) -> Option<u64> {
            cache_bytes(CpuidResult { eax, ebx, ecx, edx: 0 })
        }

        /// The registers of an EPYC Zen 5.
        #[test]
        fn an_answer_tells_its_caches_size_unless_that_holds_instructions_alone() {
            assert_eq!(told(0x121, 0x02C0_003F, 0x3F), Some(48 << 10));
            assert_eq!(told(0x122, 0x01C0_003F, 0x3F), Some(0));
            assert_eq!(told(0x143, 0x03C0_003F, 0x3FF), Some(1 << 20));
            assert_eq!(told(0x4163, 0x03C0_003F, 0x7FFF), Some(32 << 20));
            assert_eq!(told(0, 0, 0), None);
        }

        /// The kernel asked the same question, and shows each answer as a file.
        #[cfg(target_os = "linux")]
        #[test]
        fn the_largest_cache_is_that_which_the_kernel_shows() {
            let size = |index| {
                let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
                let text = std::fs::read_to_string(path).ok()?;
                text.trim().strip_suffix('K').map(|kib| kib.parse::<u64>().unwrap() << 10)
            };
            if let Some(largest) = (0..super::CACHES_MAX).map_while(size).max() {
                assert_eq!(super::processor().cache_bytes, Some(largest));
            }
        }

        #[test]
        fn the_largest_numbers_that_a_processor_can_tell_do_not_overflow() {
            assert_eq!(told(3, u32::MAX, u32::MAX), Some(u64::MAX));
        }
    }
}

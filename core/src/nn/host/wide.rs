//! Functions compiled once more for the wider vectors of newer processors.

/// Compiles a function for any processor and once more for those that have AVX2, which takes half the time where it goes through many
/// values; which one runs is decided by the processor. Its results are the same to the bit.
macro_rules! wide {
    ($(#[$about:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        $visible fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn anywhere($($argument: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn by_avx2($($argument: $type),*) $(-> $result)? {
                anywhere($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2.
                return unsafe { by_avx2($($argument),*) };
            }
            anywhere($($argument),*)
        }
    };
}

pub(super) use wide;

//! Which of its backends curve25519-dalek takes. It asks the processor and the operating system (`cpuid`,
//! `xgetbv`) in the process that computes, so one file has them all and none can meet an instruction that is not
//! there.

/// The same questions as in `get_selected_backend` of dalek, which tells nobody its answer.
#[cfg(target_arch = "x86_64")]
pub fn in_use() -> &'static str {
    use std::arch::is_x86_feature_detected;
    // The flag is given for processors that may have it (`cargoFlags` in ../../native-file.ts).
    if cfg!(curve25519_dalek_backend = "avx512")
        && is_x86_feature_detected!("avx512ifma")
        && is_x86_feature_detected!("avx512vl")
    {
        "AVX-512"
    } else if is_x86_feature_detected!("avx2") {
        "AVX2"
    } else {
        "no vectors"
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub fn in_use() -> &'static str {
    "no vectors"
}

#[cfg(test)]
mod tests {
    /// With such a flag the compiler puts these instructions everywhere, and asks nobody.
    #[test]
    fn is_not_built_for_the_processor_of_the_machine_that_builds() {
        assert!(!cfg!(any(target_feature = "avx", target_feature = "bmi2")));
    }
}

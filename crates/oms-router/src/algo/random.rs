//! Numbers that look random and are not: the same seed and place give the same number.

use oms_model::algo::FULL_PPM;

/// [SplitMix64](https://prng.di.unimi.it/splitmix64.c), its output number `nth` from `seed`.
pub(super) fn splitmix64(seed: u64, nth: u64) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = seed.wrapping_add(GOLDEN.wrapping_mul(nth.wrapping_add(1)));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number from 0 to 999,999.
pub(super) fn ppm(seed: u64, nth: u64) -> u64 {
    splitmix64(seed, nth) % u64::from(FULL_PPM)
}

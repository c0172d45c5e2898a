//! Four at a time, with AVX2.

use crate::roots::{D, MINUS_ONE};
use core::arch::x86_64::*;

/// Points at a time.
pub const LANES: usize = 4;

/// Four field elements in radix 2^25.5, limb by limb: 26 bits and 25 bits in turn, and 2^14 more at most. A
/// product of two limbs has to fit, with the factor 38.
#[derive(Clone, Copy)]
struct Elements([__m256i; 10]);

roots!("avx2");

macro_rules! sum {
    ($left:ident * $right:ident $(, $more_left:ident * $more_right:ident)*) => {{
        let sum = _mm256_mul_epu32($left, $right);
        $(let sum = _mm256_add_epi64(sum, _mm256_mul_epu32($more_left, $more_right));)*
        sum
    }};
}

/// Where two odd limbs meet, half a bit and half a bit are one. Written out: the compiler does not unroll it.
#[target_feature(enable = "avx2")]
#[inline]
#[rustfmt::skip]
fn multiply(a: &Elements, b: &Elements) -> Elements {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = a.0;
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9] = b.0;
    // Times 2, and times 19.
    let [d1, d3, d5, d7, d9] = [a1, a3, a5, a7, a9].map(|limb| twice(limb));
    let [y1, y2, y3, y4, y5, y6, y7, y8, y9] =
        [b1, b2, b3, b4, b5, b6, b7, b8, b9].map(|limb| times_19(limb));
    carry(&[
        sum!(a0 * b0, d1 * y9, a2 * y8, d3 * y7, a4 * y6, d5 * y5, a6 * y4, d7 * y3, a8 * y2, d9 * y1),
        sum!(a0 * b1, a1 * b0, a2 * y9, a3 * y8, a4 * y7, a5 * y6, a6 * y5, a7 * y4, a8 * y3, a9 * y2),
        sum!(a0 * b2, d1 * b1, a2 * b0, d3 * y9, a4 * y8, d5 * y7, a6 * y6, d7 * y5, a8 * y4, d9 * y3),
        sum!(a0 * b3, a1 * b2, a2 * b1, a3 * b0, a4 * y9, a5 * y8, a6 * y7, a7 * y6, a8 * y5, a9 * y4),
        sum!(a0 * b4, d1 * b3, a2 * b2, d3 * b1, a4 * b0, d5 * y9, a6 * y8, d7 * y7, a8 * y6, d9 * y5),
        sum!(a0 * b5, a1 * b4, a2 * b3, a3 * b2, a4 * b1, a5 * b0, a6 * y9, a7 * y8, a8 * y7, a9 * y6),
        sum!(a0 * b6, d1 * b5, a2 * b4, d3 * b3, a4 * b2, d5 * b1, a6 * b0, d7 * y9, a8 * y8, d9 * y7),
        sum!(a0 * b7, a1 * b6, a2 * b5, a3 * b4, a4 * b3, a5 * b2, a6 * b1, a7 * b0, a8 * y9, a9 * y8),
        sum!(a0 * b8, d1 * b7, a2 * b6, d3 * b5, a4 * b4, d5 * b3, a6 * b2, d7 * b1, a8 * b0, d9 * y9),
        sum!(a0 * b9, a1 * b8, a2 * b7, a3 * b6, a4 * b5, a5 * b4, a6 * b3, a7 * b2, a8 * b1, a9 * b0),
    ])
}

/// Each product of two different limbs counts twice, and twice more where both are odd.
#[target_feature(enable = "avx2")]
#[inline]
#[rustfmt::skip]
fn square(a: &Elements) -> Elements {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = a.0;
    // Times 2.
    let [b0, b1, b2, b3, b4, b5, b6, b7] =
        [a0, a1, a2, a3, a4, a5, a6, a7].map(|limb| twice(limb));
    // Times 19, and 38.
    let [y6, y8] = [a6, a8].map(|limb| times_19(limb));
    let [z5, z7, z9] = [a5, a7, a9].map(|limb| twice(times_19(limb)));
    carry(&[
        sum!(a0 * a0, b1 * z9, b2 * y8, b3 * z7, b4 * y6, a5 * z5),
        sum!(b0 * a1, a2 * z9, b3 * y8, a4 * z7, b5 * y6),
        sum!(b0 * a2, b1 * a1, b3 * z9, b4 * y8, b5 * z7, a6 * y6),
        sum!(b0 * a3, b1 * a2, a4 * z9, b5 * y8, a6 * z7),
        sum!(b0 * a4, b1 * b3, a2 * a2, b5 * z9, b6 * y8, a7 * z7),
        sum!(b0 * a5, b1 * a4, b2 * a3, a6 * z9, b7 * y8),
        sum!(b0 * a6, b1 * b5, b2 * a4, b3 * a3, b7 * z9, a8 * y8),
        sum!(b0 * a7, b1 * a6, b2 * a5, b3 * a4, a8 * z9),
        sum!(b0 * a8, b1 * b7, b2 * a6, b3 * b5, a4 * a4, a9 * z9),
        sum!(b0 * a9, b1 * a8, b2 * a7, b3 * a6, b4 * a5),
    ])
}

#[target_feature(enable = "avx2")]
#[inline]
fn twice(x: __m256i) -> __m256i {
    _mm256_add_epi64(x, x)
}

#[target_feature(enable = "avx2")]
#[inline]
fn times_19(x: __m256i) -> __m256i {
    _mm256_add_epi64(_mm256_add_epi64(x, twice(x)), _mm256_slli_epi64::<4>(x))
}

/// Limbs below 2^63 in. 2^255 is 19.
#[target_feature(enable = "avx2")]
#[inline]
fn carry(wide: &[__m256i; 10]) -> Elements {
    let mask_26 = _mm256_set1_epi64x((1 << 26) - 1);
    let mask_25 = _mm256_set1_epi64x((1 << 25) - 1);
    let [
        mut a0,
        mut a1,
        mut a2,
        mut a3,
        mut a4,
        mut a5,
        mut a6,
        mut a7,
        mut a8,
        mut a9,
    ] = *wide;
    macro_rules! over_26 {
        ($from:ident, $to:ident) => {
            $to = _mm256_add_epi64($to, _mm256_srli_epi64::<26>($from));
            $from = _mm256_and_si256($from, mask_26);
        };
    }
    macro_rules! over_25 {
        ($from:ident, $to:ident) => {
            $to = _mm256_add_epi64($to, _mm256_srli_epi64::<25>($from));
            $from = _mm256_and_si256($from, mask_25);
        };
    }
    // Two chains beside each other; the last step leaves a little in the limb that it ends in.
    over_26!(a0, a1);
    over_26!(a4, a5);
    over_25!(a1, a2);
    over_25!(a5, a6);
    over_26!(a2, a3);
    over_26!(a6, a7);
    over_25!(a3, a4);
    over_25!(a7, a8);
    over_26!(a4, a5);
    over_26!(a8, a9);
    a0 = _mm256_add_epi64(a0, times_19(_mm256_srli_epi64::<25>(a9)));
    a9 = _mm256_and_si256(a9, mask_25);
    over_26!(a0, a1);
    Elements([a0, a1, a2, a3, a4, a5, a6, a7, a8, a9])
}

#[target_feature(enable = "avx2")]
#[inline]
fn add(a: &Elements, b: &Elements) -> Elements {
    let mut out = a.0;
    for k in 0..10 {
        out[k] = _mm256_add_epi64(a.0[k], b.0[k]);
    }
    carry(&out)
}

/// A limb of 51 bits is one of 26 and one of 25.
fn halves(limbs: &[u64; 5]) -> [i64; 10] {
    let mut out = [0; 10];
    for k in 0..5 {
        out[2 * k] = (limbs[k] & ((1 << 26) - 1)) as i64;
        out[2 * k + 1] = (limbs[k] >> 26) as i64;
    }
    out
}

#[target_feature(enable = "avx2")]
fn splat(limbs: &[u64; 5]) -> Elements {
    Elements(halves(limbs).map(|limb| _mm256_set1_epi64x(limb)))
}

#[target_feature(enable = "avx2")]
fn load(elements: &[[u64; 5]; LANES]) -> Elements {
    let lanes = elements.map(|element| halves(&element));
    let mut out = [_mm256_setzero_si256(); 10];
    for k in 0..10 {
        out[k] = _mm256_set_epi64x(lanes[3][k], lanes[2][k], lanes[1][k], lanes[0][k]);
    }
    Elements(out)
}

#[target_feature(enable = "avx2")]
fn store(elements: &Elements) -> [[u64; 5]; LANES] {
    let mut out = [[0; 5]; LANES];
    for k in 0..10 {
        let mut limbs = [0u64; LANES];
        // SAFETY: four times 64 bits are as long as a vector.
        unsafe { _mm256_storeu_si256(limbs.as_mut_ptr().cast(), elements.0[k]) };
        for lane in 0..LANES {
            out[lane][k / 2] += limbs[lane] << (26 * (k % 2));
        }
    }
    out
}

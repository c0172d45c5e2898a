//! Eight at a time, with AVX-512 (IFMA).

use crate::roots::{D, MINUS_ONE};
use core::arch::x86_64::*;

/// Points at a time.
pub const LANES: usize = 8;

/// Eight field elements in radix 2^51: limb by limb, one element in each lane. Limbs are below 2^51 + 2^14.
#[derive(Clone, Copy)]
struct Elements([__m512i; 5]);

const LOW_51: i64 = (1 << 51) - 1;

roots!("avx512f,avx512ifma");

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiply(a: &Elements, b: &Elements) -> Elements {
    let mut low = [_mm512_setzero_si512(); 10];
    let mut high = low;
    for i in 0..5 {
        for j in 0..5 {
            low[i + j] = _mm512_madd52lo_epu64(low[i + j], a.0[i], b.0[j]);
            high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], a.0[i], b.0[j]);
        }
    }
    // 2^52 is two in the next limb.
    for k in 0..10 {
        low[k] = _mm512_add_epi64(low[k], _mm512_add_epi64(high[k], high[k]));
    }
    reduce(&low)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn square(a: &Elements) -> Elements {
    let zero = _mm512_setzero_si512();
    let (mut once, mut twice, mut four) = ([zero; 10], [zero; 10], [zero; 10]);
    for i in 0..5 {
        once[2 * i] = _mm512_madd52lo_epu64(once[2 * i], a.0[i], a.0[i]);
        twice[2 * i + 1] = _mm512_madd52hi_epu64(twice[2 * i + 1], a.0[i], a.0[i]);
    }
    for i in 0..5 {
        for j in i + 1..5 {
            twice[i + j] = _mm512_madd52lo_epu64(twice[i + j], a.0[i], a.0[j]);
            four[i + j + 1] = _mm512_madd52hi_epu64(four[i + j + 1], a.0[i], a.0[j]);
        }
    }
    for k in 0..10 {
        let doubled = _mm512_add_epi64(four[k], four[k]);
        let doubled = _mm512_add_epi64(twice[k], doubled);
        once[k] = _mm512_add_epi64(once[k], _mm512_add_epi64(doubled, doubled));
    }
    reduce(&once)
}

/// 2^255 is 19. Limbs below 2^56 in.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn reduce(wide: &[__m512i; 10]) -> Elements {
    let mut out = [_mm512_setzero_si512(); 5];
    for k in 0..5 {
        out[k] = _mm512_add_epi64(wide[k], times_19(wide[k + 5]));
    }
    carry(&out)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn times_19(x: __m512i) -> __m512i {
    let three = _mm512_add_epi64(x, _mm512_add_epi64(x, x));
    _mm512_add_epi64(three, _mm512_slli_epi64::<4>(x))
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carry(limbs: &[__m512i; 5]) -> Elements {
    let mask = _mm512_set1_epi64(LOW_51);
    let mut out = *limbs;
    for k in 0..5 {
        let over = _mm512_srli_epi64::<51>(limbs[(k + 4) % 5]);
        let over = if k == 0 { times_19(over) } else { over };
        out[k] = _mm512_add_epi64(_mm512_and_si512(limbs[k], mask), over);
    }
    Elements(out)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn add(a: &Elements, b: &Elements) -> Elements {
    let mut out = a.0;
    for k in 0..5 {
        out[k] = _mm512_add_epi64(a.0[k], b.0[k]);
    }
    carry(&out)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn splat(limbs: &[u64; 5]) -> Elements {
    Elements(limbs.map(|limb| _mm512_set1_epi64(limb as i64)))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn load(elements: &[[u64; 5]; LANES]) -> Elements {
    let mut out = [_mm512_setzero_si512(); 5];
    for k in 0..5 {
        let e = elements.map(|element| element[k] as i64);
        out[k] = _mm512_set_epi64(e[7], e[6], e[5], e[4], e[3], e[2], e[1], e[0]);
    }
    Elements(out)
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn store(elements: &Elements) -> [[u64; 5]; LANES] {
    let mut out = [[0; 5]; LANES];
    for k in 0..5 {
        let mut limbs = [0u64; LANES];
        // SAFETY: eight times 64 bits are as long as a vector.
        unsafe { _mm512_storeu_epi64(limbs.as_mut_ptr().cast(), elements.0[k]) };
        for lane in 0..LANES {
            out[lane][k] = limbs[lane];
        }
    }
    out
}

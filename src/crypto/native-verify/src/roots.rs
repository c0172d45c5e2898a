//! Square roots for eight points at a time, in the vectors of AVX-512 (IFMA).
//!
//! To decode a point takes a square root, 254 squarings one after the other, and nothing in the formula can be done
//! beside them; so eight points are decoded beside each other. What comes out is a proposal, and `points` checks it.

use core::arch::x86_64::*;

/// Points at a time.
pub const LANES: usize = 8;

/// Eight field elements in radix 2^51: limb by limb, one element in each lane. Limbs are below 2^51 + 2^14.
#[derive(Clone, Copy)]
struct Elements([__m512i; 5]);

const LOW_51: i64 = (1 << 51) - 1;

/// d of the curve.
pub const D: [u64; 5] = [
    929955233495203,
    466365720129213,
    1662059464998953,
    2033849074728123,
    1442794654840575,
];

/// p - 1
const MINUS_ONE: [u64; 5] = [
    2251799813685228,
    2251799813685247,
    2251799813685247,
    2251799813685247,
    2251799813685247,
];

/// For each y in limbs: x such that the point is (x, y) or (ix, y) or their negatives, if there is one.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn propose(ys: &[[u64; 5]; LANES]) -> [[u64; 5]; LANES] {
    let y = load(ys);
    let yy = square(&y);
    let u = add(&yy, &splat(&MINUS_ONE));
    let v = add(&multiply(&yy, &splat(&D)), &splat(&[1, 0, 0, 0, 0]));
    let v3 = multiply(&square(&v), &v);
    let v7 = multiply(&square(&v3), &v);
    let root = power(&multiply(&u, &v7));
    store(&multiply(&multiply(&u, &v3), &root))
}

/// x^((p - 5) / 8)
#[target_feature(enable = "avx512f,avx512ifma")]
fn power(x: &Elements) -> Elements {
    let x2 = square(x);
    let x9 = multiply(x, &squares(&x2, 2));
    let x11 = multiply(&x2, &x9);
    let e5 = multiply(&x9, &square(&x11));
    let e10 = multiply(&squares(&e5, 5), &e5);
    let e20 = multiply(&squares(&e10, 10), &e10);
    let e40 = multiply(&squares(&e20, 20), &e20);
    let e50 = multiply(&squares(&e40, 10), &e10);
    let e100 = multiply(&squares(&e50, 50), &e50);
    let e200 = multiply(&squares(&e100, 100), &e100);
    let e250 = multiply(&squares(&e200, 50), &e50);
    multiply(&squares(&e250, 2), x)
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn squares(x: &Elements, times: usize) -> Elements {
    let mut out = square(x);
    for _ in 1..times {
        out = square(&out);
    }
    out
}

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

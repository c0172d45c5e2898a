//! Decodes points, four or eight at a time where the processor can.
//!
//! The root that `roots` proposes is only believed when it solves the curve's equation, by the arithmetic of fiat-crypto,
//! which is proven to be right. There are two solutions for a y, and the encoding says which: so a point made of one
//! is the point that curve25519-dalek makes. Where the proposal solves nothing, dalek decides.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};

/// The point of each encoding, as ZIP-215 reads it: y need not be below p, and the sign of x = 0 is ignored.
pub fn decode(encodings: &[[u8; 32]]) -> Vec<Option<EdwardsPoint>> {
    #[cfg(target_arch = "x86_64")]
    if let Some(vectors) = *beside::USABLE {
        return encodings
            .chunks(vectors.lanes())
            .flat_map(|some| beside::decode(vectors, some))
            .collect();
    }
    encodings.iter().map(decode_one).collect()
}

fn decode_one(encoding: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*encoding).decompress()
}

#[cfg(target_arch = "x86_64")]
mod beside {
    use super::decode_one;
    use crate::roots::{self, MOST_LANES};
    use crate::roots_avx2;
    #[cfg(curve25519_dalek_backend = "avx512")]
    use crate::roots_avx512;
    use curve25519_dalek::{
        Scalar, constants::ED25519_BASEPOINT_POINT as B, edwards::EdwardsPoint,
    };
    use fiat_crypto::curve25519_64::{
        fiat_25519_add, fiat_25519_carry, fiat_25519_carry_mul, fiat_25519_from_bytes,
        fiat_25519_loose_field_element, fiat_25519_sub, fiat_25519_tight_field_element,
        fiat_25519_to_bytes,
    };
    use std::{arch::is_x86_feature_detected, sync::LazyLock};

    /// So few are faster one by one.
    const FEW: usize = 2;

    /// Whose vectors hold the points.
    #[derive(Clone, Copy)]
    pub enum Vectors {
        #[cfg(curve25519_dalek_backend = "avx512")]
        Avx512,
        Avx2,
    }

    impl Vectors {
        const ALL: &[Self] = &[
            #[cfg(curve25519_dalek_backend = "avx512")]
            Self::Avx512,
            Self::Avx2,
        ];

        pub fn lanes(self) -> usize {
            match self {
                #[cfg(curve25519_dalek_backend = "avx512")]
                Self::Avx512 => roots_avx512::LANES,
                Self::Avx2 => roots_avx2::LANES,
            }
        }

        fn are_there(self) -> bool {
            match self {
                #[cfg(curve25519_dalek_backend = "avx512")]
                Self::Avx512 => {
                    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
                }
                Self::Avx2 => is_x86_feature_detected!("avx2"),
            }
        }

        /// `are_there` must hold.
        fn roots(self, ys: &[[u64; 5]; MOST_LANES]) -> Vec<[u64; 5]> {
            assert!(self.are_there());
            match self {
                // SAFETY: the processor has what it takes.
                #[cfg(curve25519_dalek_backend = "avx512")]
                Self::Avx512 => unsafe { roots_avx512::propose(ys) }.to_vec(),
                Self::Avx2 => {
                    let (ys, _) = ys.split_first_chunk().expect("four are no more than eight");
                    // SAFETY: the processor has what it takes.
                    unsafe { roots_avx2::propose(ys) }.to_vec()
                }
            }
        }
    }

    /// The widest that the processor has and that make the points that dalek makes: `build` depends on how dalek
    /// keeps them.
    pub static USABLE: LazyLock<Option<Vectors>> = LazyLock::new(|| {
        let all = Vectors::ALL.iter().copied();
        all.filter(|vectors| vectors.are_there()).find(are_right)
    });

    fn are_right(vectors: &Vectors) -> bool {
        let known: Vec<EdwardsPoint> = (1..=vectors.lanes() as u64)
            .map(|n| B * Scalar::from(n))
            .collect();
        let encodings: Vec<_> = known.iter().map(|point| point.compress().0).collect();
        let made = propose(*vectors, &encodings);
        known.iter().zip(made).all(|(point, made)| {
            made.is_some_and(|made| {
                made == *point && made + B == point + B && B + made == point + B
            })
        })
    }

    /// The processor must have these vectors.
    pub fn decode(vectors: Vectors, encodings: &[[u8; 32]]) -> Vec<Option<EdwardsPoint>> {
        if encodings.len() <= FEW {
            return encodings.iter().map(decode_one).collect();
        }
        let proposed = propose(vectors, encodings);
        let decided = |(point, encoding): (Option<_>, _)| point.or_else(|| decode_one(encoding));
        proposed.into_iter().zip(encodings).map(decided).collect()
    }

    /// Points that are right, of as many encodings as there are lanes; none where there may be one or not.
    fn propose(vectors: Vectors, encodings: &[[u8; 32]]) -> Vec<Option<EdwardsPoint>> {
        let mut ys = [[0; 5]; MOST_LANES];
        for (y, encoding) in ys.iter_mut().zip(encodings) {
            *y = read_y(encoding).0;
        }
        let signs = encodings.iter().map(|encoding| encoding[31] >> 7);
        let each = vectors.roots(&ys).into_iter().zip(ys).zip(signs);
        each.map(|((x, y), sign)| checked_point(Loose(x), Loose(y), sign))
            .collect()
    }

    use fiat_25519_loose_field_element as Loose;
    use fiat_25519_tight_field_element as Tight;

    const D: Loose = Loose(roots::D);
    const SQRT_M1: Loose = Loose([
        1718705420411056,
        234908883556509,
        2233514472574048,
        2117202627021982,
        765476049583133,
    ]);
    const ZERO: Tight = Tight([0; 5]);
    const ONE: Tight = Tight([1, 0, 0, 0, 0]);

    /// The point (±x, y) with that sign of x, if `x` or `ix` solves `x² (dy² + 1) = y² - 1`.
    fn checked_point(x: Loose, y: Loose, sign: u8) -> Option<EdwardsPoint> {
        let mut x = carry(&x);
        let yy = multiply(&y, &y);
        let u = carry(&subtract(&yy, &ONE));
        let v = add(&multiply(&relax(&yy), &D), &ONE);
        let vxx = multiply(&v, &relax(&multiply(&relax(&x), &relax(&x))));
        if !is_zero(&subtract(&vxx, &u)) {
            if !is_zero(&add(&vxx, &u)) {
                return None;
            }
            x = multiply(&relax(&x), &SQRT_M1);
        }
        if to_bytes(&x)[0] & 1 != sign {
            x = carry(&subtract(&ZERO, &x));
        }
        let t = multiply(&relax(&x), &y);
        Some(build(x, carry(&y), t))
    }

    /// dalek has no way in for coordinates.
    fn build(x: Tight, y: Tight, t: Tight) -> EdwardsPoint {
        // SAFETY: both are 20 numbers of 64 bits, of which each has every value. That they stand in this order is
        // what `USABLE` found out.
        unsafe { core::mem::transmute::<[[u64; 5]; 4], EdwardsPoint>([x.0, y.0, ONE.0, t.0]) }
    }

    fn read_y(encoding: &[u8; 32]) -> Tight {
        let mut bytes = *encoding;
        bytes[31] &= 0x7f;
        let mut y = ZERO;
        fiat_25519_from_bytes(&mut y, &bytes);
        y
    }

    fn is_zero(a: &Loose) -> bool {
        to_bytes(&carry(a)) == [0; 32]
    }

    /// The number below p.
    fn to_bytes(a: &Tight) -> [u8; 32] {
        let mut bytes = [0; 32];
        fiat_25519_to_bytes(&mut bytes, a);
        bytes
    }

    fn multiply(a: &Loose, b: &Loose) -> Tight {
        let mut product = ZERO;
        fiat_25519_carry_mul(&mut product, a, b);
        product
    }

    fn carry(a: &Loose) -> Tight {
        let mut carried = ZERO;
        fiat_25519_carry(&mut carried, a);
        carried
    }

    fn relax(a: &Tight) -> Loose {
        Loose(a.0)
    }

    fn add(a: &Tight, b: &Tight) -> Loose {
        let mut sum = relax(&ZERO);
        fiat_25519_add(&mut sum, a, b);
        sum
    }

    fn subtract(a: &Tight, b: &Tight) -> Loose {
        let mut difference = relax(&ZERO);
        fiat_25519_sub(&mut difference, a, b);
        difference
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// All that this processor has.
        fn all_there() -> impl Iterator<Item = Vectors> {
            Vectors::ALL
                .iter()
                .copied()
                .filter(|vectors| vectors.are_there())
        }

        #[test]
        fn what_is_proposed_is_checked() {
            let good = B.compress().0;
            let y = read_y(&good);
            for vectors in all_there() {
                let x = vectors.roots(&[y.0; MOST_LANES])[0];
                assert_eq!(checked_point(Loose(x), Loose(y.0), 0), Some(B));
                assert_eq!(checked_point(Loose(x), Loose(y.0), 1), Some(-B));
                for limb in 0..5 {
                    let mut wrong = x;
                    wrong[limb] ^= 4;
                    assert_eq!(checked_point(Loose(wrong), Loose(y.0), 0), None);
                }
            }
        }

        #[test]
        fn the_constant_is_a_root_of_minus_one() {
            assert!(is_zero(&add(&multiply(&SQRT_M1, &SQRT_M1), &ONE)));
        }

        #[test]
        fn every_point_is_proposed_in_each_kind_of_vector() {
            for vectors in all_there() {
                assert!(are_right(&vectors));
                for encodings in super::super::tests::encodings().chunks(vectors.lanes()) {
                    for (point, encoding) in propose(vectors, encodings).iter().zip(encodings) {
                        assert_eq!(*point, decode_one(encoding));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use curve25519_dalek::{
        Scalar, constants::ED25519_BASEPOINT_POINT as B, constants::EIGHT_TORSION,
    };

    /// Of points of small and of mixed order, each in all of its encodings, and of none.
    pub fn odd_encodings() -> Vec<[u8; 32]> {
        let mixed = EIGHT_TORSION.iter().map(|point| point + B);
        let points = EIGHT_TORSION.iter().copied().chain(mixed);
        let mut odd: Vec<[u8; 32]> = points.map(|point| point.compress().0).collect();
        // y below 19 can be written as y + p as well, and any sign stands with x = 0.
        for y in 0..19 {
            for high in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                bytes[0] = 0xed + y;
                bytes[31] = high;
                odd.push(bytes);
                let mut bytes = [0; 32];
                bytes[0] = y;
                bytes[31] = high & 0x80;
                odd.push(bytes);
            }
        }
        odd
    }

    pub fn encodings() -> Vec<[u8; 32]> {
        let mut all = odd_encodings();
        let mut factor = Scalar::from(12345u64);
        for place in 0..2_000 {
            factor = factor * factor + Scalar::from(1u64);
            let mut encoding = (B * factor).compress().0;
            all.push(encoding);
            encoding[place % 32] ^= 1 << (place % 8);
            all.push(encoding);
        }
        all
    }

    #[test]
    fn points_are_those_of_dalek() {
        let encodings = encodings();
        let expected: Vec<_> = encodings.iter().map(decode_one).collect();
        assert!(expected.iter().flatten().count() > 2_500);
        assert!(expected.iter().filter(|point| point.is_none()).count() > 500);
        for length in [1, 2, 3, 7, 8, 9, 64, encodings.len()] {
            let decoded: Vec<_> = encodings.chunks(length).flat_map(decode).collect();
            assert_eq!(decoded, expected);
            for (point, same) in decoded.iter().flatten().zip(expected.iter().flatten()) {
                assert_eq!(point + B, same + B);
                assert_eq!(B + point, B + same);
            }
        }
    }
}

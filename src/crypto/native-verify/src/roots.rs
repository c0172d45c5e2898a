//! Square roots for several points at a time, in the vectors of the processor.
//!
//! To decode a point takes a square root, 254 squarings one after the other, and nothing in the formula can be done
//! beside them; so points are decoded beside each other, one in each lane. What comes out is a proposal, and
//! `points` checks it.

/// Of the widest vectors.
pub const MOST_LANES: usize = 8;

/// d of the curve.
pub const D: [u64; 5] = [
    929955233495203,
    466365720129213,
    1662059464998953,
    2033849074728123,
    1442794654840575,
];

/// p - 1
pub const MINUS_ONE: [u64; 5] = [
    2251799813685228,
    2251799813685247,
    2251799813685247,
    2251799813685247,
    2251799813685247,
];

/// What is the same in all vectors: they bring `Elements`, one field element in each lane, and their arithmetic.
macro_rules! roots {
    ($features:literal) => {
        /// For each y in limbs: x such that the point is (x, y) or (ix, y) or their negatives, if there is one.
        #[target_feature(enable = $features)]
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
        #[target_feature(enable = $features)]
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

        #[target_feature(enable = $features)]
        fn squares(x: &Elements, times: usize) -> Elements {
            let mut out = square(x);
            for _ in 1..times {
                out = square(&out);
            }
            out
        }
    };
}

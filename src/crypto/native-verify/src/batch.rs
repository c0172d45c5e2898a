//! One verdict for each claim, from as few checks as it takes.
//!
//! ZIP-215 accepts a signature (R, s) of a key A when `8(sB - R - kA)` is zero. A batch adds these up, each
//! times a random number of 128 bits, and asks whether the sum is zero. It is when each is. The factor 8 leaves
//! only points of the group of prime order, where the sum of terms that are not all zero is zero for one in 2^128
//! choices of the numbers. So a batch passes when each of its signatures is valid by the single rule, and not
//! otherwise. Without the factor, a sum could depend on the numbers for points of small order.

use crate::{entropy, frame::Claim, points};
use core::iter::once;
use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::ED25519_BASEPOINT_POINT as B,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use getrandom::Error;
use std::collections::HashMap;

/// The most claims that are looked at one by one: a batch of so few is no faster.
const FEW: usize = 2;

/// After a batch failed, so many claims for each of its own go through further batches before the rest is
/// looked at one by one. Two are enough to find one wrong claim wherever it is; and a flood of wrong ones costs
/// no more than three batches and the single checks.
const SEARCH: usize = 2;

/// 1 for each valid claim and 0 for each other, in order.
pub fn judge(claims: &[Option<Claim>]) -> Result<Vec<u8>, Error> {
    let mut search = Search::new(claims);
    let places: Vec<usize> = (0..search.signed.len()).collect();
    search.judge(&places)?;
    Ok(search.verdicts)
}

/// A claim whose key and R are points.
struct Signed<'a> {
    claim: &'a Claim,
    place: usize,
    /// Which of the keys.
    key: usize,
    r: EdwardsPoint,
}

struct Search<'a> {
    keys: Vec<Option<EdwardsPoint>>,
    signed: Vec<Signed<'a>>,
    verdicts: Vec<u8>,
    /// Claims that may still go through batches.
    left: usize,
}

impl<'a> Search<'a> {
    /// Decodes every point, each key once. What is none makes its claims invalid.
    fn new(claims: &'a [Option<Claim>]) -> Self {
        let whole = || claims.iter().flatten();
        let mut numbers = HashMap::new();
        let mut encodings: Vec<[u8; 32]> = Vec::new();
        for claim in whole() {
            numbers.entry(claim.key).or_insert_with(|| {
                encodings.push(claim.key);
                encodings.len() - 1
            });
        }
        let keys = encodings.len();
        encodings.extend(whole().map(|claim| claim.r));
        let mut points = points::decode(&encodings);
        let mut rs = points.split_off(keys).into_iter();
        let mut signed = Vec::with_capacity(rs.len());
        for (place, claim) in claims.iter().enumerate() {
            let Some(claim) = claim else { continue };
            let key = numbers[&claim.key];
            if let (Some(r), Some(_)) = (rs.next().flatten(), points[key]) {
                signed.push(Signed {
                    claim,
                    place,
                    key,
                    r,
                });
            }
        }
        let left = (1 + SEARCH) * signed.len();
        let verdicts = vec![0; claims.len()];
        Self {
            keys: points,
            signed,
            verdicts,
            left,
        }
    }

    fn judge(&mut self, places: &[usize]) -> Result<(), Error> {
        if places.len() <= FEW || self.left < places.len() {
            self.one_by_one(places);
        } else if self.all_valid(places)? {
            self.accept(places);
        } else {
            self.halve(places)?;
        }
        Ok(())
    }

    /// Judges claims of which one at least is wrong.
    fn halve(&mut self, places: &[usize]) -> Result<(), Error> {
        let (first, second) = places.split_at(places.len() / 2);
        if first.len() <= FEW || self.left < first.len() {
            self.one_by_one(places);
            Ok(())
        } else if self.all_valid(first)? {
            self.accept(first);
            // So a wrong one is among the others.
            self.halve(second)
        } else {
            self.halve(first)?;
            self.judge(second)
        }
    }

    /// Whether the sum of all `z (R + kA - sB)` is zero, times 8. What the numbers of a key add up to is
    /// multiplied once.
    fn all_valid(&mut self, places: &[usize]) -> Result<bool, Error> {
        self.left -= places.len();
        let zs = entropy::numbers(places.len())?;
        let mut of_base = Scalar::ZERO;
        let mut of_keys = vec![None; self.keys.len()];
        for (&place, z) in places.iter().zip(&zs) {
            let Signed { claim, key, .. } = &self.signed[place];
            of_base -= z * claim.s;
            *of_keys[*key].get_or_insert(Scalar::ZERO) += z * claim.k;
        }
        let keys = self.keys.iter().zip(&of_keys);
        let keys = keys.filter_map(|(point, sum)| Some((point.as_ref()?, sum.as_ref()?)));
        let (keys, of_keys): (Vec<_>, Vec<_>) = keys.unzip();
        let rs = places.iter().map(|&place| &self.signed[place].r);
        let sum = EdwardsPoint::vartime_multiscalar_mul(
            once(&of_base).chain(of_keys).chain(&zs),
            once(&B).chain(keys).chain(rs),
        );
        Ok(is_nothing(&sum))
    }

    fn accept(&mut self, places: &[usize]) {
        for &place in places {
            self.verdicts[self.signed[place].place] = 1;
        }
    }

    fn one_by_one(&mut self, places: &[usize]) {
        for &place in places {
            let Signed {
                claim,
                place,
                key,
                r,
            } = &self.signed[place];
            let Some(key) = &self.keys[*key] else {
                continue;
            };
            let sum = EdwardsPoint::vartime_double_scalar_mul_basepoint(&claim.k, &-key, &claim.s);
            self.verdicts[*place] = is_nothing(&(sum - r)).into();
        }
    }
}

fn is_nothing(point: &EdwardsPoint) -> bool {
    point.mul_by_cofactor().is_identity()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_zebra::{Signature, SigningKey, VerificationKey, VerificationKeyBytes};

    fn claims(count: usize, is_wrong: impl Fn(usize) -> bool) -> Vec<Option<Claim>> {
        let claim = |place: usize| {
            let key = SigningKey::from([place as u8 % 7 + 1; 32]);
            let message = place.to_le_bytes();
            let mut signature = key.sign(&message).to_bytes();
            signature[33] ^= u8::from(is_wrong(place));
            Claim::new(VerificationKeyBytes::from(&key).into(), signature, &message)
        };
        (0..count).map(claim).collect()
    }

    fn verdicts(claims: &[Option<Claim>]) -> Vec<u8> {
        judge(claims).unwrap()
    }

    #[test]
    fn one_wrong_claim_is_found_wherever_it_is() {
        for count in 0..20 {
            for wrong in 0..=count {
                let expected: Vec<u8> = (0..count).map(|place| (place != wrong).into()).collect();
                assert_eq!(verdicts(&claims(count, |place| place == wrong)), expected);
            }
        }
    }

    #[test]
    fn many_wrong_claims_are_found_among_good_ones() {
        for every in 1..40 {
            let is_wrong = |place: usize| place.is_multiple_of(every);
            let expected: Vec<u8> = (0..130).map(|place| (!is_wrong(place)).into()).collect();
            assert_eq!(verdicts(&claims(130, is_wrong)), expected);
        }
    }

    #[test]
    fn a_malformed_claim_is_not_valid_and_spoils_no_batch() {
        let mut some = claims(9, |_| false);
        some[0] = None;
        some[4] = None;
        assert_eq!(verdicts(&some), [0, 1, 1, 1, 0, 1, 1, 1, 1]);
        assert_eq!(verdicts(&[None]), [0]);
    }

    /// Encodings of points of small and of mixed order, and of none, as key and as R.
    #[test]
    fn says_of_odd_points_what_zebra_says() {
        let mut odd: Vec<[u8; 32]> = points::tests::odd_encodings();
        odd.truncate(60);
        let message = b"odd";
        for s in [[0; 32], Scalar::from(7u8).to_bytes(), [0xff; 32]] {
            let all: Vec<_> = odd
                .iter()
                .flat_map(|key| odd.iter().map(move |r| (*key, *r)))
                .collect();
            let signature = |r: [u8; 32]| [r, s].concat().try_into().unwrap();
            let claims: Vec<_> = all
                .iter()
                .map(|&(key, r)| Claim::new(key, signature(r), message))
                .collect();
            let expected: Vec<u8> = all
                .iter()
                .map(|&(key, r)| {
                    let signature = Signature::from_bytes(&signature(r));
                    VerificationKey::try_from(key)
                        .is_ok_and(|key| key.verify(&signature, message).is_ok())
                        .into()
                })
                .collect();
            assert_eq!(verdicts(&claims), expected);
            for (chunk, expected) in claims.chunks(29).zip(expected.chunks(29)) {
                assert_eq!(verdicts(chunk), expected);
            }
        }
    }
}

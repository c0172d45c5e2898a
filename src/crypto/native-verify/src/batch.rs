//! One verdict for each claim, from as few checks as it takes.
//!
//! ZIP-215 accepts a signature (R, s) of a key A when `8(sB - R - kA)` is zero. A batch adds these up, each
//! times a random number of 128 bits, and asks whether the sum is zero. It is when each is. The factor 8 leaves
//! only points of the group of prime order, where the sum of terms that are not all zero is zero for one in 2^128
//! choices of the numbers. So a batch passes when each of its signatures is valid by the single rule, and not
//! otherwise. Without the factor, a sum could depend on the numbers for points of small order.

use crate::entropy::Entropy;
use ed25519_zebra::batch::{Item, Verifier};
use getrandom::Error;

/// The most claims that are looked at one by one: a batch of so few is no faster.
const FEW: usize = 2;

/// After a batch failed, so many claims for each of its own go through further batches before the rest is
/// looked at one by one. Two are enough to find one wrong claim wherever it is; and a flood of wrong ones costs
/// no more than three batches and the single checks.
const SEARCH: usize = 2;

/// 1 for each valid claim and 0 for each other, in order.
pub fn judge(claims: &[Option<Item>]) -> Result<Vec<u8>, Error> {
    let places: Vec<usize> = (0..claims.len())
        .filter(|&place| claims[place].is_some())
        .collect();
    let verdicts = vec![0; claims.len()];
    let mut search = Search {
        claims,
        verdicts,
        left: (1 + SEARCH) * places.len(),
    };
    search.judge(&places)?;
    Ok(search.verdicts)
}

struct Search<'a> {
    claims: &'a [Option<Item>],
    verdicts: Vec<u8>,
    /// Claims that may still go through batches.
    left: usize,
}

impl Search<'_> {
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

    fn all_valid(&mut self, places: &[usize]) -> Result<bool, Error> {
        self.left -= places.len();
        let mut batch = Verifier::new();
        for item in places
            .iter()
            .filter_map(|&place| self.claims[place].clone())
        {
            batch.queue(item);
        }
        Ok(batch.verify(Entropy::for_batch(places.len())?).is_ok())
    }

    fn accept(&mut self, places: &[usize]) {
        for &place in places {
            self.verdicts[place] = 1;
        }
    }

    fn one_by_one(&mut self, places: &[usize]) {
        for &place in places {
            let item = self.claims[place].clone();
            self.verdicts[place] = item.is_some_and(|item| item.verify_single().is_ok()).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_zebra::{Signature, SigningKey, VerificationKeyBytes};

    fn claims(count: usize, is_wrong: impl Fn(usize) -> bool) -> Vec<Option<Item>> {
        let item = |place: usize| {
            let key = SigningKey::from([place as u8 % 7 + 1; 32]);
            let message = place.to_le_bytes();
            let mut signature = key.sign(&message).to_bytes();
            signature[33] ^= u8::from(is_wrong(place));
            Item::from((
                VerificationKeyBytes::from(&key),
                Signature::from_bytes(&signature),
                &message,
            ))
        };
        (0..count).map(item).map(Some).collect()
    }

    fn verdicts(claims: &[Option<Item>]) -> Vec<u8> {
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
}

//! The numbers that a batch is combined with.

use curve25519_dalek::Scalar;

/// Bytes of each number: 128 bits.
const EACH: usize = 16;

/// Randomness of the operating system, taken in one call for a whole batch. Nobody can know it when he signs,
/// it is used once, and no state is left that could be guessed or copied.
pub fn numbers(count: usize) -> Result<Vec<Scalar>, getrandom::Error> {
    let mut bytes = vec![0; count * EACH];
    getrandom::fill(&mut bytes)?;
    let (each, _) = bytes.as_chunks::<EACH>();
    Ok(each
        .iter()
        .map(|&number| Scalar::from(u128::from_le_bytes(number)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_others_each_time() {
        let twice = [numbers(200).unwrap(), numbers(200).unwrap()].concat();
        let distinct: std::collections::HashSet<_> = twice.iter().map(Scalar::to_bytes).collect();
        assert_eq!(distinct.len(), 400);
        assert!(
            twice
                .iter()
                .all(|number| number.to_bytes()[EACH..] == [0; 16])
        );
    }
}

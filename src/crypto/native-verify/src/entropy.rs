//! The numbers that a batch is combined with.

use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng, utils};

/// Bytes that a batch takes for each of its signatures.
const EACH: usize = 16;

/// Randomness of the operating system, taken in one call for a whole batch. Nobody can know it when he signs,
/// it is used once, and no state is left that could be guessed or copied.
pub struct Entropy {
    bytes: Vec<u8>,
    used: usize,
}

impl Entropy {
    /// Enough for a batch of so many signatures.
    pub fn for_batch(signatures: usize) -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; signatures * EACH];
        getrandom::fill(&mut bytes)?;
        Ok(Self { bytes, used: 0 })
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_word_via_fill(self)
    }

    /// Panics when there is no more: to give the same bytes again would let a wrong batch pass.
    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + target.len();
        target.copy_from_slice(&self.bytes[self.used..end]);
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

//! Claims packed into one buffer, as `../../claim-batch.ts` packs them:
//!
//! ```text
//! kind (1) | public key (32) | signature (64) | message length (4, big-endian) | message      for each claim
//! ```

use curve25519_dalek::{Scalar, digest::Update};
use sha2::Sha512;

const KEY: usize = 1;
const SIGNATURE: usize = 33;
const LENGTH: usize = 97;
const MESSAGE: usize = 101;

/// The kind of a claim that never was a key and a signature, and so is not valid.
const MALFORMED: u8 = 2;

/// A claim as the rule sees it: key and R encoded, s, and the hash k.
#[derive(Clone)]
pub struct Claim {
    pub key: [u8; 32],
    pub r: [u8; 32],
    pub s: Scalar,
    pub k: Scalar,
}

impl Claim {
    /// None when s is not below the group's order, which the rule demands.
    pub fn new(key: [u8; 32], signature: [u8; 64], message: &[u8]) -> Option<Self> {
        let r = array(&signature[..32]);
        let s = Scalar::from_canonical_bytes(array(&signature[32..])).into_option()?;
        let hash = Sha512::default().chain(r).chain(key).chain(message);
        let k = Scalar::from_hash(hash);
        Some(Self { key, r, s, k })
    }
}

/// What there is to check of each claim, in order; `None` for one that no point can make valid.
pub fn read(frame: &[u8]) -> Result<Vec<Option<Claim>>, &'static str> {
    let mut claims = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let (head, after) = rest
            .split_at_checked(MESSAGE)
            .ok_or("a claim of the frame is not whole")?;
        let length = u32::from_be_bytes(array(&head[LENGTH..])) as usize;
        let (message, next) = after
            .split_at_checked(length)
            .ok_or("a message of the frame is not whole")?;
        rest = next;
        let claim = || {
            let (key, signature) = (&head[KEY..SIGNATURE], &head[SIGNATURE..LENGTH]);
            Claim::new(array(key), array(signature), message)
        };
        claims.push(if head[0] == MALFORMED { None } else { claim() });
    }
    Ok(claims)
}

/// Bytes whose number the caller knows.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes
        .try_into()
        .expect("a field of the claim's head has its length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(kind: u8, message: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; MESSAGE];
        bytes[0] = kind;
        bytes[LENGTH..].copy_from_slice(&(message.len() as u32).to_be_bytes());
        bytes.extend_from_slice(message);
        bytes
    }

    #[test]
    fn reads_each_claim_in_order() {
        let frame = [claim(0, b""), claim(2, b"malformed"), claim(1, &[7; 300])].concat();
        let claims = read(&frame).unwrap();
        assert_eq!(
            claims.iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert!(read(&[]).unwrap().is_empty());
    }

    #[test]
    fn refuses_a_frame_that_is_cut_short_anywhere() {
        let frame = claim(0, b"message");
        for length in 1..frame.len() {
            assert!(read(&frame[..length]).is_err(), "{length} bytes");
        }
    }
}

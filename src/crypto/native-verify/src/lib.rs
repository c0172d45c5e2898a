//! The addon's door: a frame of claims comes in, one verdict each goes out.

mod arithmetic;
mod batch;
mod entropy;
mod frame;
mod points;
#[cfg(target_arch = "x86_64")]
#[macro_use]
mod roots;
#[cfg(target_arch = "x86_64")]
mod roots_avx2;
#[cfg(all(target_arch = "x86_64", curve25519_dalek_backend = "avx512"))]
mod roots_avx512;

use napi::bindgen_prelude::{Error, Result, Uint8Array};
use napi_derive::napi;

/// One byte for each claim of the frame, in order: 1 when it is valid by ZIP-215, or else 0.
///
/// Fails when the frame is not whole, and when the system has no randomness: faults that no signature can
/// cause.
#[napi]
pub fn verify_frame(frame: &[u8]) -> Result<Uint8Array> {
    let claims = frame::read(frame).map_err(Error::from_reason)?;
    let verdicts = batch::judge(&claims).map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(verdicts.into())
}

/// What of this processor the check uses, for people.
#[napi]
pub fn arithmetic() -> &'static str {
    arithmetic::in_use()
}

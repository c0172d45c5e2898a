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

use napi::bindgen_prelude::{AsyncTask, Env, Error, Result, Task, Uint8Array};
use napi_derive::napi;

/// One byte for each claim of the frame, in order: 1 when it is valid by ZIP-215, or else 0.
///
/// Fails when the frame is not whole, and when the system has no randomness: faults that no signature can
/// cause.
#[napi]
pub fn verify_frame(frame: &[u8]) -> Result<Uint8Array> {
    Ok(verdicts(frame)?.into())
}

/// The same on one of the threads that Node has for such work: a promise.
#[napi]
pub fn verify_frame_later(frame: &[u8]) -> AsyncTask<Check> {
    AsyncTask::new(Check(frame.to_vec()))
}

/// A frame that waits for its verdicts.
pub struct Check(Vec<u8>);

impl Task for Check {
    type Output = Vec<u8>;
    type JsValue = Uint8Array;

    fn compute(&mut self) -> Result<Vec<u8>> {
        verdicts(&self.0)
    }

    fn resolve(&mut self, _: Env, verdicts: Vec<u8>) -> Result<Uint8Array> {
        Ok(verdicts.into())
    }
}

fn verdicts(frame: &[u8]) -> Result<Vec<u8>> {
    let claims = frame::read(frame).map_err(Error::from_reason)?;
    batch::judge(&claims).map_err(|error| Error::from_reason(error.to_string()))
}

/// What of this processor the check uses, for people.
#[napi]
pub fn arithmetic() -> &'static str {
    arithmetic::in_use()
}

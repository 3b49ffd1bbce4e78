//! Named places where a test makes the process fail: the steps between which a crash, an error or a stall would hurt.
//!
//! Built for tests only, by the feature `failpoints`. Elsewhere `pass` is empty and nothing reads the environment.
//!
//! A test starts the binary with `FAILPOINTS=place=action`, several separated by `;`. `abort` ends the process at once,
//! `error` is an error of the step, `sleep(300)` a stall of so many milliseconds. Each happens once, at the first
//! passage, or at a later one: `accept.after_keys=3*abort` lets two pass.

#[cfg(feature = "failpoints")]
mod armed;

use crate::error::Result;

/// Whether this build has failpoints: never one for production.
pub const BUILT_IN: bool = cfg!(feature = "failpoints");

/// Passes the place `name`: as if it were not there, unless a test has put something in the way.
#[cfg(feature = "failpoints")]
pub fn pass(name: &'static str) -> Result<()> {
    armed::pass(name)
}

/// Passes the place `name`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn pass(_name: &'static str) -> Result<()> {
    Ok(())
}

//! Services in processes of their own over a real broker, and everything that can break between them. All tests share the
//! broker of `cargo xtask test`, each in a namespace of its own; only those that kill the broker have their own.

mod checker;
mod clocks;
mod deaths;
mod fleet;
mod losses;
mod network;
mod proxy;
mod revocations;
mod writers;

use checker::check;
use fleet::{Address, Fleet, PLAIN};
use proxy::Proxy;
use writers::Writers;

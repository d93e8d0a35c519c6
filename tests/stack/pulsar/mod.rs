//! Services in processes of their own over a real broker, and everything that can break between them. All tests share the
//! broker of `cargo xtask test`, each in a namespace of its own; only the one that kills the broker has its own.

mod checker;
mod clocks;
mod deaths;
mod fleet;
mod network;
mod proxy;
mod revocations;
mod writers;

use checker::check;
use fleet::{Address, Fleet, PLAIN};
use proxy::Proxy;
use writers::Writers;

//! The parts of `daybook up`.

mod banner;
mod door;
mod listeners;
mod login;
mod storage;

pub(crate) use banner::Banner;
pub(crate) use door::{Answer, Credentials, Door};
pub(crate) use listeners::{Listeners, url};
pub(crate) use login::{Account, Login};
pub(crate) use storage::Storage;

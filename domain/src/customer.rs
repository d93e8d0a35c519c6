//! A customer: the tenant, its people and their roles.

mod aggregate;
mod event;
mod password;
mod permission;
mod role;

pub use aggregate::{Customer, CustomerCommand, CustomerError};
pub use event::*;
pub use password::Password;
pub use permission::Permission;
pub use role::Role;

//! A customer: the tenant, its people and their roles.

mod aggregate;
mod event;
mod permission;
mod role;

pub use aggregate::{Customer, CustomerCommand, CustomerError};
pub use event::{CustomerEvent, CustomerSignedUp, MemberAdded, MemberRemoved, RoleChanged, TimeZoneChanged};
pub use permission::Permission;
pub use role::Role;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Role;
use crate::decode::event_payload;
use crate::{CustomerId, MemberId};

/// What can happen to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerEvent {
    /// It signed up, with its first member as owner.
    CustomerSignedUp(CustomerSignedUp),
    /// Somebody joined.
    MemberAdded(MemberAdded),
    /// Somebody left.
    MemberRemoved(MemberRemoved),
    /// Somebody is there for something else now.
    RoleChanged(RoleChanged),
    /// Its days begin and end elsewhere now.
    TimeZoneChanged(TimeZoneChanged),
}

event_payload!(CustomerEvent {
    CustomerSignedUp = "1.0.0",
    MemberAdded = "1.0.0",
    MemberRemoved = "1.0.0",
    RoleChanged = "1.0.0",
    TimeZoneChanged = "1.0.0",
});

/// A customer signed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerSignedUp {
    /// The customer.
    pub customer_id: CustomerId,
    /// Its name.
    pub name: String,
    /// IANA name of the zone in which its days begin and end.
    pub time_zone: Tz,
    /// Its first member, the owner.
    pub owner: MemberId,
    /// The owner's address, in lower case.
    pub email: String,
}

/// A member joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAdded {
    /// Who.
    pub member_id: MemberId,
    /// The address, in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
}

/// A member left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRemoved {
    /// Who.
    pub member_id: MemberId,
}

/// A member has another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChanged {
    /// Who.
    pub member_id: MemberId,
    /// As what, from now on.
    pub role: Role,
}

/// The customer's days begin and end in another zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeZoneChanged {
    /// IANA name.
    pub time_zone: Tz,
}

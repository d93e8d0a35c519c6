use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use uuid::Uuid;

use super::Role;
use crate::decode::event_payload;
use crate::{CustomerId, MemberId};

/// What can happen to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerEvent {
    /// It signed up, with its first member as owner.
    CustomerSignedUp(CustomerSignedUp),
    /// A member was added.
    MemberAdded(MemberAdded),
    /// A member was removed.
    MemberRemoved(MemberRemoved),
    /// A member has another role.
    RoleChanged(RoleChanged),
    /// Its days begin and end elsewhere now.
    TimeZoneChanged(TimeZoneChanged),
    /// A member chose another password, and showed the old one.
    PasswordChanged(PasswordChanged),
    /// A link was made with which a member can choose a password without the old one.
    PasswordResetRequested(PasswordResetRequested),
    /// A member chose another password with such a link.
    PasswordReset(PasswordReset),
}

event_payload!(CustomerEvent {
    CustomerSignedUp = "1.0.0",
    MemberAdded = "1.0.0",
    MemberRemoved = "1.0.0",
    RoleChanged = "1.0.0",
    TimeZoneChanged = "1.0.0",
    PasswordChanged = "1.0.0",
    PasswordResetRequested = "1.0.0",
    PasswordReset = "1.0.0",
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
    /// The member.
    pub member_id: MemberId,
    /// The address, in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
}

/// A member left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRemoved {
    /// The member.
    pub member_id: MemberId,
}

/// A member has another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChanged {
    /// The member.
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

/// A member has another password. Neither it nor its hash is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// The member whose password it is.
    pub member_id: MemberId,
    /// Names the new password: under this id its hash waits outside the log until this event is folded.
    pub password_id: Uuid,
}

/// A link was made with which a member can choose a password without the old one. Its secret is not in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordResetRequested {
    /// Whose password.
    pub member_id: MemberId,
    /// Names the link.
    pub reset_id: Uuid,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

/// A member has another password, chosen with a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordReset {
    /// The member whose password it is.
    pub member_id: MemberId,
    /// With which link, which works no more.
    pub reset_id: Uuid,
    /// As in [`PasswordChanged`].
    pub password_id: Uuid,
}

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{
    CustomerEvent, CustomerSignedUp, MemberAdded, MemberRemoved, PasswordChanged, PasswordReset,
    PasswordResetRequested, RoleChanged, TimeZoneChanged,
};
use super::{Password, Role};
use crate::MemberId;
use crate::aggregate::aggregate;

/// A customer as it now stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// None before it signed up.
    pub name: Option<String>,
    /// Where its days begin and end.
    pub time_zone: Option<Tz>,
    /// Its people.
    pub members: BTreeMap<MemberId, Member>,
}

/// One of a customer's people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The address, in lower case.
    pub email: String,
    /// What the member is there for.
    pub role: Role,
    /// What the log knows of the member's password.
    #[serde(default)]
    pub password: Password,
}

impl Member {
    fn new(email: String, role: Role) -> Self {
        Self { email, role, password: Password::default() }
    }
}

/// What can be asked of a customer.
#[derive(Clone, Debug)]
pub enum CustomerCommand {
    /// Sign a customer up, with its first owner.
    SignUp(CustomerSignedUp),
    /// Add a member.
    AddMember(MemberAdded),
    /// Remove a member.
    RemoveMember(MemberId),
    /// Change the role of a member.
    ChangeRole(RoleChanged),
    /// Let days begin and end elsewhere.
    ChangeTimeZone(Tz),
    /// Change the password of a member who has shown the old one.
    ChangePassword {
        /// The new one, and whose.
        changed: PasswordChanged,
        /// The one that was shown: none for the password with which the member joined.
        shown: Option<Uuid>,
    },
    /// Make a link to choose a password with. It takes the place of the one before.
    RequestPasswordReset(PasswordResetRequested),
    /// Change the password of the member who has the link of a reset.
    ResetPassword {
        /// The new one, whose, and with which link.
        reset: PasswordReset,
        /// The present time.
        now: DateTime<Utc>,
    },
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// It signed up before.
    #[error("the customer has signed up already")]
    AlreadySignedUp,
    /// It never signed up.
    #[error("there is no such customer")]
    NotFound,
    /// The name is empty or too long.
    #[error("the name must have 1 to 200 characters")]
    BadName,
    /// The address is that of a member already.
    #[error("the address is that of a member already")]
    AlreadyMember,
    /// No member has this id.
    #[error("there is no such member")]
    NoSuchMember,
    /// A customer without an owner could never be managed again.
    #[error("a customer must keep at least one owner")]
    LastOwner,
    /// The password that was shown is not the present one: it was changed a moment ago.
    #[error("the password was changed meanwhile")]
    PasswordChangedMeanwhile,
    /// The link was used, is too old, or another one took its place.
    #[error("the link is not good any more")]
    ResetNotFound,
}

impl Customer {
    /// The longest name, in characters.
    pub const NAME_CHARS_MAX: usize = 200;

    fn is_last_owner(&self, member: MemberId) -> bool {
        let mut owners = self.members.iter().filter(|(_, member)| member.role == Role::Owner);
        owners.next().is_some_and(|(id, _)| *id == member) && owners.next().is_none()
    }

    fn password(&self, member: MemberId) -> Result<&Password, CustomerError> {
        self.members.get(&member).map(|member| &member.password).ok_or(CustomerError::NoSuchMember)
    }

    /// Changes what is known of a member's password, if there is such a member.
    fn note(&mut self, member: MemberId, change: impl FnOnce(&mut Password)) {
        if let Some(member) = self.members.get_mut(&member) {
            change(&mut member.password);
        }
    }

    fn sign_up(&self, signed_up: CustomerSignedUp) -> Result<CustomerEvent, CustomerError> {
        if self.name.is_some() {
            return Err(CustomerError::AlreadySignedUp);
        }
        if !(1..=Self::NAME_CHARS_MAX).contains(&signed_up.name.trim().chars().count()) {
            return Err(CustomerError::BadName);
        }
        Ok(CustomerEvent::CustomerSignedUp(signed_up))
    }

    /// What a command makes happen, if anything.
    fn decide(&self, command: CustomerCommand) -> Result<Option<CustomerEvent>, CustomerError> {
        if let CustomerCommand::SignUp(signed_up) = command {
            return self.sign_up(signed_up).map(Some);
        }
        if self.name.is_none() {
            return Err(CustomerError::NotFound);
        }
        match command {
            CustomerCommand::SignUp(_) => Err(CustomerError::AlreadySignedUp),
            CustomerCommand::AddMember(added) => {
                if self.members.values().any(|member| member.email == added.email) {
                    return Err(CustomerError::AlreadyMember);
                }
                Ok(Some(CustomerEvent::MemberAdded(added)))
            }
            CustomerCommand::RemoveMember(member_id) => {
                if !self.members.contains_key(&member_id) {
                    return Err(CustomerError::NoSuchMember);
                }
                if self.is_last_owner(member_id) {
                    return Err(CustomerError::LastOwner);
                }
                Ok(Some(CustomerEvent::MemberRemoved(MemberRemoved { member_id })))
            }
            CustomerCommand::ChangeRole(changed) => {
                let member = self.members.get(&changed.member_id).ok_or(CustomerError::NoSuchMember)?;
                if member.role == changed.role {
                    return Ok(None);
                }
                if self.is_last_owner(changed.member_id) {
                    return Err(CustomerError::LastOwner);
                }
                Ok(Some(CustomerEvent::RoleChanged(changed)))
            }
            CustomerCommand::ChangeTimeZone(time_zone) => Ok((self.time_zone != Some(time_zone))
                .then_some(CustomerEvent::TimeZoneChanged(TimeZoneChanged { time_zone }))),
            CustomerCommand::ChangePassword { changed, shown } => {
                self.password(changed.member_id)?.check(shown)?;
                Ok(Some(CustomerEvent::PasswordChanged(changed)))
            }
            CustomerCommand::RequestPasswordReset(requested) => {
                self.password(requested.member_id)?;
                Ok(Some(CustomerEvent::PasswordResetRequested(requested)))
            }
            CustomerCommand::ResetPassword { reset, now } => {
                self.password(reset.member_id)?.check_reset(reset.reset_id, now)?;
                Ok(Some(CustomerEvent::PasswordReset(reset)))
            }
        }
    }
}

aggregate!(Customer = "customer", CustomerCommand, CustomerEvent, CustomerError);

impl Customer {
    fn evolve(&mut self, event: CustomerEvent) {
        match event {
            CustomerEvent::CustomerSignedUp(signed_up) => {
                self.name = Some(signed_up.name);
                self.time_zone = Some(signed_up.time_zone);
                self.members.insert(signed_up.owner, Member::new(signed_up.email, Role::Owner));
            }
            CustomerEvent::MemberAdded(added) => {
                self.members.insert(added.member_id, Member::new(added.email, added.role));
            }
            CustomerEvent::MemberRemoved(removed) => {
                self.members.remove(&removed.member_id);
            }
            CustomerEvent::RoleChanged(changed) => {
                if let Some(member) = self.members.get_mut(&changed.member_id) {
                    member.role = changed.role;
                }
            }
            CustomerEvent::TimeZoneChanged(changed) => self.time_zone = Some(changed.time_zone),
            CustomerEvent::PasswordChanged(PasswordChanged { member_id, password_id })
            | CustomerEvent::PasswordReset(PasswordReset { member_id, password_id, .. }) => {
                self.note(member_id, |password| password.replace(password_id));
            }
            CustomerEvent::PasswordResetRequested(PasswordResetRequested {
                member_id,
                reset_id,
                expires_at,
            }) => self.note(member_id, |password| password.offer_reset(reset_id, expires_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;
    use crate::CustomerId;

    const OWNER: MemberId = MemberId(Uuid::from_u128(1));
    const ADA: MemberId = MemberId(Uuid::from_u128(2));

    fn sign_up() -> CustomerSignedUp {
        CustomerSignedUp {
            customer_id: CustomerId(Uuid::from_u128(7)),
            name: "Ledger & Co".into(),
            time_zone: Tz::Europe__Berlin,
            owner: OWNER,
            email: "owner@example.com".into(),
        }
    }

    fn signed_up() -> CustomerEvent {
        CustomerEvent::CustomerSignedUp(sign_up())
    }

    fn ada(role: Role) -> MemberAdded {
        MemberAdded { member_id: ADA, email: "ada@example.com".into(), role }
    }

    fn given(events: Vec<CustomerEvent>) -> cqrs_es::test::AggregateTestExecutor<Customer> {
        TestFramework::<Customer>::with(()).given(events)
    }

    #[test]
    fn a_customer_signs_up_once() {
        given(vec![]).when(CustomerCommand::SignUp(sign_up())).then_expect_events(vec![signed_up()]);
        given(vec![signed_up()])
            .when(CustomerCommand::SignUp(sign_up()))
            .then_expect_error(CustomerError::AlreadySignedUp);
    }

    #[test]
    fn a_customer_has_a_name() {
        given(vec![])
            .when(CustomerCommand::SignUp(CustomerSignedUp { name: "  ".into(), ..sign_up() }))
            .then_expect_error(CustomerError::BadName);
    }

    #[test]
    fn a_member_joins_once_by_address() {
        let added = CustomerEvent::MemberAdded(ada(Role::Analyst));
        given(vec![signed_up()])
            .when(CustomerCommand::AddMember(ada(Role::Analyst)))
            .then_expect_events(vec![added.clone()]);
        given(vec![signed_up(), added])
            .when(CustomerCommand::AddMember(MemberAdded { member_id: OWNER, ..ada(Role::Owner) }))
            .then_expect_error(CustomerError::AlreadyMember);
    }

    #[test]
    fn the_last_owner_stays_owner() {
        given(vec![signed_up()])
            .when(CustomerCommand::RemoveMember(OWNER))
            .then_expect_error(CustomerError::LastOwner);
        given(vec![signed_up()])
            .when(CustomerCommand::ChangeRole(RoleChanged { member_id: OWNER, role: Role::Analyst }))
            .then_expect_error(CustomerError::LastOwner);
    }

    #[test]
    fn one_of_two_owners_can_leave() {
        given(vec![signed_up(), CustomerEvent::MemberAdded(ada(Role::Owner))])
            .when(CustomerCommand::RemoveMember(OWNER))
            .then_expect_events(vec![CustomerEvent::MemberRemoved(MemberRemoved { member_id: OWNER })]);
    }

    #[test]
    fn a_role_changes_only_to_another() {
        let changed = RoleChanged { member_id: ADA, role: Role::Auditor };
        let before = vec![signed_up(), CustomerEvent::MemberAdded(ada(Role::Analyst))];
        given(before.clone())
            .when(CustomerCommand::ChangeRole(changed.clone()))
            .then_expect_events(vec![CustomerEvent::RoleChanged(changed.clone())]);
        given([before, vec![CustomerEvent::RoleChanged(changed.clone())]].concat())
            .when(CustomerCommand::ChangeRole(changed))
            .then_expect_events(vec![]);
    }

    #[test]
    fn the_time_zone_changes_only_to_another() {
        given(vec![signed_up()])
            .when(CustomerCommand::ChangeTimeZone(Tz::Europe__Berlin))
            .then_expect_events(vec![]);
        given(vec![signed_up()]).when(CustomerCommand::ChangeTimeZone(Tz::Asia__Kolkata)).then_expect_events(
            vec![CustomerEvent::TimeZoneChanged(TimeZoneChanged { time_zone: Tz::Asia__Kolkata })],
        );
    }

    #[test]
    fn a_customer_that_never_signed_up_does_not_exist() {
        given(vec![])
            .when(CustomerCommand::ChangeTimeZone(Tz::UTC))
            .then_expect_error(CustomerError::NotFound);
    }
}

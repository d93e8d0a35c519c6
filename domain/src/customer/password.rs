use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CustomerError;

/// What the log knows of a member's password: which one it is, and whether a link waits to replace it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// The present one; none is the one with which the member joined.
    pub id: Option<Uuid>,
    reset: Option<OfferedReset>,
}

/// A link that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OfferedReset {
    id: Uuid,
    expires_at: DateTime<Utc>,
}

impl Password {
    /// Whether the password that was shown is still the present one: of two changes at once that both show the old
    /// password, one happens.
    pub(super) fn check(&self, shown: Option<Uuid>) -> Result<(), CustomerError> {
        if self.id == shown { Ok(()) } else { Err(CustomerError::PasswordChangedMeanwhile) }
    }

    /// Whether a link works now.
    pub(super) fn check_reset(&self, link: Uuid, now: DateTime<Utc>) -> Result<(), CustomerError> {
        let waits = self.reset.is_some_and(|reset| reset.id == link && reset.expires_at > now);
        if waits { Ok(()) } else { Err(CustomerError::ResetNotFound) }
    }

    pub(super) fn offer_reset(&mut self, id: Uuid, expires_at: DateTime<Utc>) {
        self.reset = Some(OfferedReset { id, expires_at });
    }

    /// Another password: a link that was made for the one before works no more.
    pub(super) fn replace(&mut self, id: Uuid) {
        *self = Self { id: Some(id), reset: None };
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use chrono_tz::Tz;
    use cqrs_es::test::TestFramework;

    use super::*;
    use crate::customer::{
        Customer, CustomerCommand, CustomerEvent, CustomerSignedUp, MemberRemoved, PasswordChanged,
        PasswordReset, PasswordResetRequested,
    };
    use crate::{CustomerId, MemberId};

    const OWNER: MemberId = MemberId(Uuid::from_u128(1));
    const LINK: Uuid = Uuid::from_u128(20);
    const NEWER_LINK: Uuid = Uuid::from_u128(21);

    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn signed_up() -> CustomerEvent {
        CustomerEvent::CustomerSignedUp(CustomerSignedUp {
            customer_id: CustomerId(Uuid::from_u128(7)),
            name: "Ledger & Co".into(),
            time_zone: Tz::UTC,
            owner: OWNER,
            email: "owner@example.com".into(),
        })
    }

    fn changed(id: u128) -> PasswordChanged {
        PasswordChanged { member_id: OWNER, password_id: Uuid::from_u128(id) }
    }

    fn requested(link: Uuid) -> CustomerEvent {
        let expires_at = now() + TimeDelta::hours(1);
        CustomerEvent::PasswordResetRequested(PasswordResetRequested {
            member_id: OWNER,
            reset_id: link,
            expires_at,
        })
    }

    fn reset(link: Uuid) -> PasswordReset {
        PasswordReset { member_id: OWNER, reset_id: link, password_id: Uuid::from_u128(30) }
    }

    fn use_link(after: Vec<CustomerEvent>, link: Uuid, now: DateTime<Utc>) -> Result<(), CustomerError> {
        let command = CustomerCommand::ResetPassword { reset: reset(link), now };
        let outcome = TestFramework::<Customer>::with(()).given(after).when(command).inspect_result();
        outcome.map(|events| assert_eq!(events, [CustomerEvent::PasswordReset(reset(link))]))
    }

    #[test]
    fn of_two_changes_that_show_the_same_password_one_happens() {
        let change = |shown| CustomerCommand::ChangePassword { changed: changed(11), shown };
        let first = vec![signed_up(), CustomerEvent::PasswordChanged(changed(10))];
        let given = |events| TestFramework::<Customer>::with(()).given(events);
        given(vec![signed_up()])
            .when(change(None))
            .then_expect_events(vec![CustomerEvent::PasswordChanged(changed(11))]);
        given(first.clone()).when(change(None)).then_expect_error(CustomerError::PasswordChangedMeanwhile);
        given(first)
            .when(change(Some(Uuid::from_u128(10))))
            .then_expect_events(vec![CustomerEvent::PasswordChanged(changed(11))]);
    }

    #[test]
    fn a_link_works_once_and_only_the_newest_does() {
        assert_eq!(use_link(vec![signed_up(), requested(LINK)], LINK, now()), Ok(()));
        let gone = Err(CustomerError::ResetNotFound);
        assert_eq!(use_link(vec![signed_up()], LINK, now()), gone, "it was never made");
        let used = vec![signed_up(), requested(LINK), CustomerEvent::PasswordReset(reset(LINK))];
        assert_eq!(use_link(used, LINK, now()), gone);
        let two = vec![signed_up(), requested(LINK), requested(NEWER_LINK)];
        assert_eq!(use_link(two.clone(), LINK, now()), gone);
        assert_eq!(use_link(two, NEWER_LINK, now()), Ok(()));
    }

    #[test]
    fn a_link_is_not_good_for_ever_nor_for_another_password() {
        let made = vec![signed_up(), requested(LINK)];
        let gone = Err(CustomerError::ResetNotFound);
        assert_eq!(use_link(made.clone(), LINK, now() + TimeDelta::hours(1)), gone);
        let changed = [made, vec![CustomerEvent::PasswordChanged(changed(10))]].concat();
        assert_eq!(use_link(changed, LINK, now()), gone);
    }

    #[test]
    fn who_has_left_has_no_password() {
        let left = vec![
            signed_up(),
            requested(LINK),
            CustomerEvent::MemberRemoved(MemberRemoved { member_id: OWNER }),
        ];
        assert_eq!(use_link(left, LINK, now()), Err(CustomerError::NoSuchMember));
    }
}

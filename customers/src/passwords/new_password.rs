//! Replaces a member's password. The log says that the password changed, but must not hold its hash, for it never forgets.
//! So the hash waits in a table under the id that the event names, and the fold of the event moves it to the credentials:
//! both happen or neither.

use access::Cause;
use chrono::{DateTime, TimeDelta, Utc};
use domain::customer::{CustomerCommand, CustomerError, PasswordChanged, PasswordReset};
use domain::{CustomerId, MemberId};
use event_store::ExecuteError;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::sessions::secret::SessionSecret;
use crate::state::AppState;

/// A hash that waits longer than this is deleted: its event never came.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

/// A password that somebody has chosen.
pub(crate) struct NewPassword {
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) hash: String,
}

/// Changes the password of a member who has shown the one that the log knows as `shown`. The session goes on, and all
/// others of the member end.
///
/// # Errors
/// [`CustomersError::PasswordChangedMeanwhile`], or the log or the database cannot be used.
pub(crate) async fn change(
    state: &AppState,
    new: NewPassword,
    shown: Option<Uuid>,
    session: &SessionSecret,
    cause: Cause,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    let (password_id, member_id) = (Uuid::now_v7(), new.member_id);
    keep(&state.pool, password_id, &new, Some(session), now).await?;
    let changed = PasswordChanged { member_id, password_id };
    carry_out(state, &new, CustomerCommand::ChangePassword { changed, shown }, cause).await
}

/// Changes the password of a member who has shown a link. All sessions of the member end.
///
/// # Errors
/// [`CustomersError::ResetNotFound`] if the link is not good any more, or the log or the database cannot be used.
pub(crate) async fn reset(
    state: &AppState,
    new: NewPassword,
    reset_id: Uuid,
    cause: Cause,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    let (password_id, member_id) = (Uuid::now_v7(), new.member_id);
    keep(&state.pool, password_id, &new, None, now).await?;
    let reset = PasswordReset { member_id, reset_id, password_id };
    carry_out(state, &new, CustomerCommand::ResetPassword { reset, now }, cause).await
}

async fn carry_out(
    state: &AppState,
    new: &NewPassword,
    command: CustomerCommand,
    cause: Cause,
) -> Result<(), CustomersError> {
    match state.customers.execute(&new.customer_id.to_string(), command, cause.into()).await {
        Ok(()) => Ok(state.projection.catch_up().await?),
        Err(ExecuteError::Refused(CustomerError::PasswordChangedMeanwhile)) => {
            Err(CustomersError::PasswordChangedMeanwhile)
        }
        Err(ExecuteError::Refused(CustomerError::ResetNotFound | CustomerError::NoSuchMember)) => {
            Err(CustomersError::ResetNotFound)
        }
        Err(error) => Err(error.into()),
    }
}

async fn keep(
    pool: &PgPool,
    password_id: Uuid,
    new: &NewPassword,
    session: Option<&SessionSecret>,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    sqlx::query!("DELETE FROM new_passwords WHERE chosen_at < $1", now - FORGOTTEN_AFTER)
        .execute(pool)
        .await?;
    sqlx::query!(
        "INSERT INTO new_passwords (password_id, member_id, password_hash, keeps_session, chosen_at)
         VALUES ($1, $2, $3, $4, $5)",
        password_id,
        new.member_id.0,
        new.hash,
        session.map(|session| session.id().to_vec()),
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

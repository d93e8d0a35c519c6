use access::Cause;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::customer::{Customer, CustomerEvent, CustomerSignedUp, MemberAdded, Role};
use domain::token::{PublicUse, Token, TokenEvent, TokenIssued};
use domain::{CustomerId, DecodeError, MemberId};
use event_store::RecordedEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::FoldError;

/// Folds one event. Folding it again changes nothing.
pub(super) async fn fold(connection: &mut PgConnection, event: &RecordedEvent) -> Result<(), FoldError> {
    let at = event.recorded_at;
    match event.aggregate_type.as_str() {
        Customer::TYPE => customer(connection, event.customer_id, event.decode()?, at).await?,
        Token::TYPE => token(connection, event.decode()?, Maker::of(event), at).await?,
        _ => {
            let (event_type, event_version) = (event.event_type.clone(), event.event_version.clone());
            return Err(DecodeError::Unknown { event_type, event_version }.into());
        }
    }
    Ok(())
}

async fn customer(
    connection: &mut PgConnection,
    customer_id: CustomerId,
    event: CustomerEvent,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    match event {
        CustomerEvent::CustomerSignedUp(signed_up) => {
            let CustomerSignedUp { customer_id, name, time_zone, owner, email } = signed_up;
            sqlx::query!(
                "INSERT INTO customers (customer_id, name, time_zone, signed_up_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                customer_id.0,
                name,
                time_zone.name(),
                at,
            )
            .execute(&mut *connection)
            .await?;
            member(connection, customer_id, MemberAdded { member_id: owner, email, role: Role::Owner }, at)
                .await
        }
        CustomerEvent::MemberAdded(added) => member(connection, customer_id, added, at).await,
        CustomerEvent::MemberRemoved(removed) => {
            sqlx::query!("DELETE FROM members WHERE member_id = $1", removed.member_id.0)
                .execute(connection)
                .await?;
            Ok(())
        }
        CustomerEvent::RoleChanged(changed) => {
            let (member_id, role) = (changed.member_id.0, changed.role.name());
            sqlx::query!("UPDATE members SET role = $2 WHERE member_id = $1", member_id, role)
                .execute(connection)
                .await?;
            Ok(())
        }
        CustomerEvent::PasswordChanged(changed) => {
            password(connection, changed.member_id, changed.password_id).await
        }
        CustomerEvent::PasswordReset(reset) => password(connection, reset.member_id, reset.password_id).await,
        // Whether a link still works is asked of the aggregate, which knows the newest.
        CustomerEvent::PasswordResetRequested(_) => Ok(()),
        CustomerEvent::TimeZoneChanged(changed) => {
            let time_zone = changed.time_zone.name();
            sqlx::query!(
                "UPDATE customers SET time_zone = $2 WHERE customer_id = $1",
                customer_id.0,
                time_zone
            )
            .execute(connection)
            .await?;
            Ok(())
        }
    }
}

async fn member(
    connection: &mut PgConnection,
    customer_id: CustomerId,
    added: MemberAdded,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO members (member_id, customer_id, email, role, added_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        added.member_id.0,
        customer_id.0,
        added.email,
        added.role.name(),
        at,
    )
    .execute(&mut *connection)
    .await?;
    // A link works once. The invitation has the id that its member now has.
    sqlx::query!("DELETE FROM invitations WHERE invitation_id = $1", added.member_id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts the hash that waits for this event in its place, and ends the member's sessions but the one in which the password
/// was changed. Folded again, it finds nothing that waits.
async fn password(
    connection: &mut PgConnection,
    member_id: MemberId,
    password_id: Uuid,
) -> Result<(), sqlx::Error> {
    let chosen = sqlx::query!(
        "DELETE FROM new_passwords WHERE password_id = $1 AND member_id = $2
         RETURNING password_hash, keeps_session",
        password_id,
        member_id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(chosen) = chosen else { return Ok(()) };
    sqlx::query!(
        "UPDATE credentials SET password_hash = $2, password_id = $3 WHERE member_id = $1",
        member_id.0,
        chosen.password_hash,
        password_id,
    )
    .execute(&mut *connection)
    .await?;
    // A statement of its own: its snapshot has the sessions that were begun while the one before waited for the row.
    sqlx::query!(
        "DELETE FROM sessions WHERE member_id = $1 AND id IS DISTINCT FROM $2",
        member_id.0,
        chosen.keeps_session,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("DELETE FROM password_resets WHERE member_id = $1", member_id.0).execute(connection).await?;
    Ok(())
}

/// Who caused an event, as far as tokens are concerned.
#[derive(Default)]
struct Maker {
    member: Option<Uuid>,
    token: Option<Uuid>,
}

impl Maker {
    fn of(event: &RecordedEvent) -> Self {
        let cause = Cause::of_metadata(event.metadata.as_str());
        let id = |kind: &str| cause.subject.as_ref()?.strip_prefix(kind)?.parse().ok();
        Self { member: id("member:"), token: id("token:") }
    }
}

async fn token(
    connection: &mut PgConnection,
    event: TokenEvent,
    maker: Maker,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    match event {
        TokenEvent::TokenIssued(issued) => {
            let TokenIssued { token_id, customer_id, name, prefix, sha256, scopes, expires_at, public } =
                issued;
            let (allowed_origins, rate) = public.as_ref().map(in_columns).unzip();
            let scopes: Vec<String> = scopes.as_slice().iter().map(ToString::to_string).collect();
            sqlx::query!(
                "INSERT INTO tokens (token_id, customer_id, name, prefix, sha256, scopes, created_at, expires_at, maker,
                                     allowed_origins, rate)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
                         coalesce($9, (SELECT by.maker FROM tokens by WHERE by.token_id = $10)), $11, $12)
                 ON CONFLICT (token_id) DO UPDATE SET maker = excluded.maker",
                token_id.0,
                customer_id.0,
                name,
                prefix,
                sha256.0,
                &scopes,
                at,
                expires_at,
                maker.member,
                maker.token,
                allowed_origins.as_deref(),
                rate,
            )
            .execute(connection)
            .await?;
        }
        TokenEvent::TokenRotated(rotated) => {
            sqlx::query!(
                "UPDATE tokens SET expires_at = CASE WHEN token_id = $1 THEN $2 ELSE expires_at END,
                        replaces = CASE WHEN token_id = $3 THEN $1 ELSE replaces END
                  WHERE token_id IN ($1, $3)",
                rotated.token_id.0,
                rotated.ends_at,
                rotated.successor.0,
            )
            .execute(connection)
            .await?;
        }
        TokenEvent::TokenRevoked(revoked) => {
            sqlx::query!(
                "UPDATE tokens SET revoked_at = $2 WHERE token_id = $1 AND revoked_at IS NULL",
                revoked.token_id.0,
                at,
            )
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

/// What a public token may do, as its row has it.
fn in_columns(public: &PublicUse) -> (Vec<String>, i32) {
    let origins = public.allowed_origins.iter().map(|origin| origin.as_str().to_owned());
    (origins.collect(), i32::try_from(public.rate.get()).unwrap_or(i32::MAX))
}

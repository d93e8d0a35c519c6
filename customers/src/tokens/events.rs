//! What the log says of a token: each event with who did it.

use std::collections::HashMap;

use access::Cause;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::CustomerId;
use domain::customer::{Customer, CustomerEvent};
use domain::token::{Token, TokenEvent};
use event_store::RecordedEvent;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::state::AppState;

/// Something that happened to a token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenEvent)]
pub(crate) struct TokenHistoryEvent {
    /// `issued`, `rotated` or `revoked`.
    #[schema(example = "issued")]
    event: &'static str,
    /// When it happened.
    at: DateTime<Utc>,
    /// The member or the token that did it.
    by: Option<Actor>,
    /// The id of the request with which it was done.
    request_id: Option<String>,
    /// For a rotation: the token that took its place.
    successor: Option<Uuid>,
    /// For a rotation: when this token ends.
    ends_at: Option<DateTime<Utc>>,
}

/// Who did something.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TokenActor)]
pub(crate) struct Actor {
    /// `member` or `token`.
    #[schema(example = "member")]
    kind: String,
    /// The member's or the token's id.
    id: Uuid,
    /// The member's address, also of one who has left, or the token's name.
    #[schema(example = "ada@example.com")]
    name: Option<String>,
}

/// The events of a token's stream, in order.
///
/// # Errors
/// If the log or the database cannot be used.
pub(crate) async fn of(
    state: &AppState,
    customer: CustomerId,
    stream: &str,
) -> Result<Vec<TokenHistoryEvent>, CustomersError> {
    let log = state.tokens.log();
    let partition = log.partitions().of(customer);
    let events = log.read_stream(partition, Token::TYPE, stream).await?;
    let mut names = people(state, customer).await?;
    names.extend(token_names(state, customer, &events).await?);
    events.iter().map(|event| history_event(event, &names)).collect()
}

fn history_event(
    event: &RecordedEvent,
    names: &HashMap<String, String>,
) -> Result<TokenHistoryEvent, CustomersError> {
    let Cause { request_id, subject, .. } = cause(event);
    let by = subject.and_then(|subject| {
        let (kind, id) = subject.split_once(':')?;
        let name = names.get(&subject).cloned();
        Some(Actor { kind: kind.to_owned(), id: id.parse().ok()?, name })
    });
    let unreadable = |error: domain::DecodeError| CustomersError::Internal(error.to_string());
    let (name, successor, ends_at) = match event.decode::<TokenEvent>().map_err(unreadable)? {
        TokenEvent::TokenIssued(_) => ("issued", None, None),
        TokenEvent::TokenRotated(rotated) => ("rotated", Some(rotated.successor.0), Some(rotated.ends_at)),
        TokenEvent::TokenRevoked(_) => ("revoked", None, None),
    };
    Ok(TokenHistoryEvent { event: name, at: event.recorded_at, by, request_id, successor, ends_at })
}

fn cause(event: &RecordedEvent) -> Cause {
    Cause::of_metadata(event.metadata.as_str())
}

/// The addresses of all who ever were members: from the log, since the read models forget those who have left.
async fn people(state: &AppState, customer: CustomerId) -> Result<HashMap<String, String>, CustomersError> {
    let log = state.customers.log();
    let partition = log.partitions().of(customer);
    let events = log.read_stream(partition, Customer::TYPE, &customer.to_string()).await?;
    let joined = events.iter().filter_map(|event| match event.decode().ok()? {
        CustomerEvent::CustomerSignedUp(signed_up) => {
            Some((format!("member:{}", signed_up.owner), signed_up.email))
        }
        CustomerEvent::MemberAdded(added) => Some((format!("member:{}", added.member_id), added.email)),
        _ => None,
    });
    Ok(joined.collect())
}

async fn token_names(
    state: &AppState,
    customer: CustomerId,
    events: &[RecordedEvent],
) -> Result<HashMap<String, String>, CustomersError> {
    let subjects = events.iter().filter_map(|event| cause(event).subject);
    let ids: Vec<Uuid> =
        subjects.filter_map(|subject| subject.strip_prefix("token:")?.parse().ok()).collect();
    let rows = sqlx::query!(
        "SELECT token_id, name FROM tokens WHERE customer_id = $1 AND token_id = ANY ($2)",
        customer.0,
        &ids,
    )
    .fetch_all(&state.pool)
    .await?;
    Ok(rows.into_iter().map(|row| (format!("token:{}", row.token_id), row.name)).collect())
}

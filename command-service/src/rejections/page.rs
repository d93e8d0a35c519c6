use chassis::{FieldError, Paging};
use chrono::{DateTime, Utc};
use domain::CustomerId;
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

/// A message that was sent and is not recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedRejection {
    /// Its own id; it rises.
    id: String,
    /// When it came.
    received_at: DateTime<Utc>,
    /// How it came: `native`, `segment`, `posthog`, `otlp` or `cloudevents`.
    #[schema(example = "segment")]
    protocol: String,
    /// With which token, or by which member.
    #[schema(example = "token:0198c0de-0000-7000-8000-000000000000")]
    subject: String,
    /// With which request.
    request_id: Option<String>,
    /// Its place in the request, from 0; null if the request as a whole could not be read.
    index: Option<i32>,
    /// The client's own id, if it can be read.
    activity_id: Option<String>,
    /// Its type, if it can be read.
    activity_type: Option<String>,
    /// Each fault, at most 5; the pointer leads into the message.
    errors: Vec<FieldError>,
}

/// A page of a customer's, newest first, and the cursor of the next.
///
/// # Errors
/// What the database says.
pub(crate) async fn list(
    pool: &PgPool,
    customer: CustomerId,
    paging: &Paging<i64>,
) -> Result<(Vec<ListedRejection>, Option<String>), sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, received_at, protocol, subject, request_id, index, activity_id, activity_type, errors
           FROM ingest_rejections WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        customer.0,
        paging.cursor.unwrap_or(i64::MAX),
        paging.rows(),
    )
    .fetch_all(pool)
    .await?;
    let mut items: Vec<ListedRejection> = rows
        .into_iter()
        .map(|row| ListedRejection {
            id: row.id.to_string(),
            received_at: row.received_at,
            protocol: row.protocol,
            subject: row.subject,
            request_id: row.request_id,
            index: row.index,
            activity_id: row.activity_id,
            activity_type: row.activity_type,
            errors: serde_json::from_value(row.errors).unwrap_or_default(),
        })
        .collect();
    let next = paging.cut(&mut items, |item| item.id.clone());
    Ok((items, next))
}

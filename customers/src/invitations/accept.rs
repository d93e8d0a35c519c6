use access::{Cause, Subject};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::{DateTime, Utc};
use domain::customer::{CustomerCommand, CustomerError, MemberAdded};
use event_store::ExecuteError;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::table::{self, Invited};
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::link_secret::LinkSecret;
use crate::passwords::credentials::{self, Reservation};
use crate::sessions::answer::SessionAnswer;
use crate::sessions::begin::begin;
use crate::state::AppState;

/// The link and the password of the person who joins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptInvitation {
    /// What follows `#token=` in the link.
    token: String,
    /// The password to log in with from now on.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    password: String,
}

/// Accept an invitation
///
/// Makes the invited person a member and begins a session. A link works once.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "people", security(()),
    request_body(content = AcceptInvitation, example = json!({
        "token": "dbi_x2Vd0u4m3kqQ0cO1m2b7yG5tq8Zr9Lw3Xn6Ha1Jp4Es", "password": "correct horse battery"
    })),
    responses(
        (status = 201, description = "Joined and logged in.", body = SessionAnswer,
         headers(("set-cookie" = String, description = "The session: daybook_session."))),
        (status = 404, description = "The link is unknown, used, withdrawn or older than seven days.",
         body = Problem),
        (status = 409, description = "The address has an account already (`address-in-use`).", body = Problem),
        BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn accept_invitation(
    State(state): State<AppState>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<AcceptInvitation>,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    state.projection.catch_up().await?;
    let invited = table::find(&state.pool, &LinkSecret::shown(&body.token), now).await?;
    let invited = invited.ok_or(CustomersError::InvitationNotFound)?;
    let mut faults = Faults::default();
    faults.password("/password", &body.password, &[&invited.email]);
    faults.none()?;

    let reservation = Reservation {
        customer_id: invited.customer_id,
        member_id: invited.member_id,
        email: invited.email.clone(),
        password_hash: state.passwords.hash(body.password).await?,
    };
    reserve(&state, &reservation, now).await?;
    join(&state, &headers, invited).await?;
    state.projection.catch_up().await?;

    let begun = begin(&state, &headers, reservation.member_id, None, now).await?;
    let (secret, session) = begun.ok_or(CustomersError::EmailTaken)?;
    Ok((StatusCode::CREATED, state.cookies.set(&secret), Json(SessionAnswer::new(session, &secret))))
}

/// Reserves the address. One with which somebody logs in for another customer is an error of its own; one that a crash left
/// reserved is free again soon.
async fn reserve(
    state: &AppState,
    reservation: &Reservation,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    match credentials::reserve(&state.pool, reservation, now).await {
        Err(CustomersError::EmailTaken)
            if credentials::find(&state.pool, &reservation.email).await?.is_some() =>
        {
            Err(CustomersError::AddressInUse)
        }
        other => other,
    }
}

/// Adds the member. The fold of the event deletes the invitation in its transaction.
async fn join(state: &AppState, headers: &HeaderMap, invited: Invited) -> Result<(), CustomersError> {
    let Invited { customer_id, member_id, email, role, by } = invited;
    let cause = Cause::request(headers, Subject::Member(member_id));
    let cause = Cause { invited_by: Some(by), ..cause };
    let command = CustomerCommand::AddMember(MemberAdded { member_id, email, role });
    match state.customers.execute(&customer_id.to_string(), command, cause.into()).await {
        Err(ExecuteError::Refused(CustomerError::AlreadyMember)) => Err(CustomersError::EmailTaken),
        other => Ok(other?),
    }
}

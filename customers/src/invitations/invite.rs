use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use domain::customer::{Permission, Role};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::table::{self, InvitationAnswer, LINK_PREFIX, TTL};
use crate::documented::RoleName;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::link_secret::LinkSecret;
use crate::passwords::credentials;
use crate::state::AppState;
use crate::{mail, permissions};

/// Who is invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteMember {
    /// The address; upper and lower case do not matter.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// The role that the member will have.
    #[schema(value_type = RoleName)]
    role: Role,
}

/// The invitation, with its link.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invited {
    /// The customer's id.
    customer_id: Uuid,
    /// The link to hand on, shown this once. What follows `#token=` is what `POST /v1/invitations/accept` takes; it
    /// stands behind the `#` so that no server on the way sees it.
    #[schema(example = "http://127.0.0.1:8080/join#token=dbi_x2Vd0u4m3kqQ0cO1m2b7yG5tq8Zr9Lw3Xn6Ha1Jp4Es")]
    invite_url: String,
    /// Whether a relay has taken a mail with the link; never, if none is configured.
    mailed: bool,
    #[serde(flatten)]
    invitation: InvitationAnswer,
}

/// Invite somebody
///
/// Makes a link with which the invited person sets a password and joins, within seven days. The link is the answer, this
/// once, and is mailed too where the operator has configured a relay. Inviting the same address again makes the link of
/// before useless.
#[utoipa::path(
    post, path = "/v1/members", tag = "people",
    request_body(content = InviteMember, example = json!({"email": "bob@example.com", "role": "analyst"})),
    responses(
        (status = 201, description = "Invited.", body = Invited),
        (status = 409, description = "The address is a member's already or logs in for another customer \
         (`address-in-use`), or too many invitations wait.",
         body = Problem),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn invite_member(
    State(state): State<AppState>,
    caller: Caller,
    ProblemJson(body): ProblemJson<InviteMember>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManagePeople).await?;
    let mut faults = Faults::default();
    let email = faults.email("/email", &body.email);
    faults.none()?;
    let customer = state.customers.load(&principal.customer_id.to_string()).await?;
    if customer.members.values().any(|member| member.email == email) {
        return Err(CustomersError::AlreadyMember);
    }
    state.projection.catch_up().await?;
    if credentials::find(&state.pool, &email).await?.is_some() {
        return Err(CustomersError::AddressInUse);
    }
    let (secret, now) = (LinkSecret::random(LINK_PREFIX), Utc::now());
    let invitation = InvitationAnswer {
        id: Uuid::now_v7(),
        email,
        role: body.role,
        invited_by: principal.subject.to_string(),
        created_at: now,
        expires_at: now + TTL,
        address_in_use: false,
    };
    table::keep(&state.pool, principal.customer_id, &invitation, &secret).await?;
    let invite_url = format!("{}/join#token={}", state.public_url, secret.reveal());
    let mailed = match &state.mailer {
        None => false,
        Some(mailer) => {
            let customer = customer.name.as_deref().unwrap_or("Somebody");
            let (email, role, url) = (&invitation.email, invitation.role, &invite_url);
            mailer.invite(&mail::Invitation { email, customer, role, url }).await
        }
    };
    Ok((
        StatusCode::CREATED,
        Json(Invited { customer_id: principal.customer_id.0, invite_url, mailed, invitation }),
    ))
}

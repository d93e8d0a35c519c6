use access::{Cause, Subject};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use domain::customer::{Customer, CustomerCommand, CustomerSignedUp, Role};
use domain::token::Scopes;
use domain::{CustomerId, MemberId};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documented::ScopeName;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::members::answer::MemberAnswer;
use crate::passwords::credentials::{self, Reservation};
use crate::sessions::begin::begin;
use crate::state::AppState;
use crate::throttle;

/// Who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUp {
    /// The customer's name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The owner's address; upper and lower case do not matter.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// The owner's password.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    password: String,
    /// IANA name of the zone in which the customer's days begin and end; UTC if not given.
    time_zone: Option<String>,
}

/// The new customer, and who is logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedUp {
    /// The customer's id.
    id: Uuid,
    /// The customer's name.
    name: String,
    /// IANA name of the zone in which its days begin and end.
    time_zone: &'static str,
    /// Its first member, the owner.
    member: MemberAnswer,
    /// What the owner may do.
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Scopes,
    /// To be sent as `x-csrf-token` with every write that has the cookie.
    csrf_token: String,
}

/// Sign up and log in
///
/// Makes a customer with its first member, the owner, and begins a session.
#[utoipa::path(
    post, path = "/v1/customers", tag = "customers", security(()),
    request_body(content = SignUp, example = json!({
        "name": "Ledger & Co", "email": "ada@example.com", "password": "correct horse battery",
        "time_zone": "Europe/Berlin"
    })),
    responses(
        (status = 201, description = "Signed up and logged in.", body = SignedUp,
         headers(("set-cookie" = String, description = "The session: daybook_session."))),
        (status = 429, description = "Too many have signed up from the same address; `Retry-After` says when to try again.",
         body = Problem),
        (status = 409, description = "The address is taken.", body = Problem),
        BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn sign_up(
    State(state): State<AppState>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<SignUp>,
) -> Result<impl IntoResponse, CustomersError> {
    let mut faults = Faults::default();
    let name = faults.name("/name", &body.name, Customer::NAME_CHARS_MAX);
    let email = faults.email("/email", &body.email);
    faults.password("/password", &body.password, &[&body.email, &body.name]);
    let time_zone = faults.time_zone("/time_zone", body.time_zone.as_deref());
    faults.none()?;

    let now = Utc::now();
    let address = state.access.client_address(&headers);
    throttle::sign_up(&state.pool, state.log_ins, address, now).await?;
    let (customer_id, member_id) = (CustomerId(Uuid::now_v7()), MemberId(Uuid::now_v7()));
    let password_hash = state.passwords.hash(body.password).await?;
    state.projection.catch_up().await?;
    let reservation = Reservation { customer_id, member_id, email: email.clone(), password_hash };
    credentials::reserve(&state.pool, &reservation, now).await?;

    let signed_up = CustomerSignedUp {
        customer_id,
        name: name.clone(),
        time_zone,
        owner: member_id,
        email: email.clone(),
    };
    let cause = Cause::request(&headers, Subject::Member(member_id));
    let command = CustomerCommand::SignUp(signed_up);
    state.customers.execute(&customer_id.to_string(), command, cause.into()).await?;
    state.projection.catch_up().await?;

    let begun = begin(&state, &headers, member_id, None, now).await?;
    let (secret, _) = begun.ok_or(CustomersError::EmailTaken)?;
    let answer = SignedUp {
        id: customer_id.0,
        name,
        time_zone: time_zone.name(),
        member: MemberAnswer { id: member_id.0, email, role: Role::Owner },
        scopes: Role::Owner.scopes(),
        csrf_token: secret.csrf_token(),
    };
    Ok((StatusCode::CREATED, state.cookies.set(&secret), Json(answer)))
}

//! Who may call what, one line for each documented operation. [`super`] tries all of it.

use domain::customer::Permission as P;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody, without any credentials.
    Anyone,
    /// Whoever is logged in; a token is nobody there.
    LoggedIn,
    /// Whoever has the permission, by role or by scope.
    May(P),
    /// Whoever has the permission by a token; a session is nobody there.
    Token(P),
}

/// What the parameter in the operation's path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Nothing,
    Activity,
    Stream,
    Token,
    Member,
    Invitation,
    Session,
    /// One that nobody has; those of others are in the tests of dead letters.
    NoDeadLetter,
    /// One without activities, which is no different from somebody else's.
    NoActor,
    /// One that need not be there.
    NewActor,
    /// An actor without aliases and a name, for both parameters of the path.
    NoAlias,
    /// A projection that there is not.
    NoProjection,
    /// A key of a browser; any is as good.
    Key,
}

/// An operation, who may call it, and the status of its success.
pub(super) struct Rule {
    pub(super) operation: &'static str,
    pub(super) who: Who,
    pub(super) thing: Thing,
    pub(super) success: u16,
}

const fn rule(operation: &'static str, who: Who, thing: Thing, success: u16) -> Rule {
    Rule { operation, who, thing, success }
}

pub(super) const RULES: &[Rule] = &[
    rule("GET /healthz", Who::Anyone, Thing::Nothing, 200),
    rule("GET /openapi.json", Who::Anyone, Thing::Nothing, 200),
    rule("GET /readyz", Who::Anyone, Thing::Nothing, 200),
    rule("GET /v1/activities", Who::May(P::Read), Thing::Nothing, 200),
    rule("POST /v1/activities", Who::May(P::Record), Thing::Nothing, 202),
    rule("POST /v1/activities/batch", Who::May(P::Record), Thing::Nothing, 202),
    rule("POST /v1/activities/stream", Who::May(P::Record), Thing::Nothing, 200),
    rule("POST /v1/batch", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/track", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/identify", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/page", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/screen", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/group", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/alias", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/logs", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /v1/cloudevents", Who::Token(P::Record), Thing::Nothing, 202),
    rule("POST /batch/", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /capture/", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /e/", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /i/v1/analytics/events", Who::Token(P::Record), Thing::Nothing, 200),
    rule("POST /flags/", Who::Anyone, Thing::Nothing, 200),
    rule("GET /array/{key}/config", Who::Anyone, Thing::Key, 200),
    rule("GET /v1/projects/{key}/settings", Who::Anyone, Thing::Key, 200),
    rule("GET /v1/ingest/rejections", Who::May(P::SeeRejections), Thing::Nothing, 200),
    rule("GET /v1/activities/{id}", Who::May(P::Read), Thing::Activity, 200),
    rule("PATCH /v1/activities/{id}", Who::May(P::Record), Thing::Activity, 200),
    rule("DELETE /v1/activities/{id}", Who::May(P::Record), Thing::Activity, 204),
    rule("POST /v1/customers", Who::Anyone, Thing::Nothing, 201),
    rule("GET /v1/customers/self", Who::May(P::SeePeople), Thing::Nothing, 200),
    rule("PATCH /v1/customers/self", Who::May(P::ManageCustomer), Thing::Nothing, 200),
    rule("GET /v1/dead-letters", Who::May(P::Operate), Thing::Nothing, 200),
    rule("GET /v1/projections/{name}/rebuild", Who::May(P::Operate), Thing::NoProjection, 404),
    rule("POST /v1/projections/{name}/rebuild", Who::May(P::Operate), Thing::NoProjection, 404),
    rule("POST /v1/dead-letters/{id}/discard", Who::May(P::Operate), Thing::NoDeadLetter, 404),
    rule("POST /v1/dead-letters/{id}/retry", Who::May(P::Operate), Thing::NoDeadLetter, 404),
    rule("GET /v1/history", Who::May(P::Audit), Thing::Nothing, 200),
    rule("GET /v1/history/{aggregate_id}", Who::May(P::Audit), Thing::Stream, 200),
    rule("GET /v1/invitations", Who::May(P::ManagePeople), Thing::Nothing, 200),
    // With a link that was never made.
    rule("POST /v1/invitations/accept", Who::Anyone, Thing::Nothing, 404),
    rule("DELETE /v1/invitations/{id}", Who::May(P::ManagePeople), Thing::Invitation, 204),
    rule("GET /v1/members", Who::May(P::SeePeople), Thing::Nothing, 200),
    rule("POST /v1/members", Who::May(P::ManagePeople), Thing::Nothing, 201),
    rule("PATCH /v1/members/{id}", Who::May(P::ManagePeople), Thing::Member, 200),
    rule("DELETE /v1/members/{id}", Who::May(P::ManagePeople), Thing::Member, 204),
    // With a session, a wrong old password: the matrix must not change anybody's.
    rule("POST /v1/password", Who::LoggedIn, Thing::Nothing, 422),
    // The shared system sends no mail.
    rule("POST /v1/password/forgotten", Who::Anyone, Thing::Nothing, 409),
    rule("POST /v1/password/reset", Who::Anyone, Thing::Nothing, 404),
    rule("GET /v1/projections", Who::May(P::Operate), Thing::Nothing, 200),
    rule("GET /v1/actors", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/actors/{actor}", Who::May(P::Read), Thing::NoActor, 404),
    rule("PUT /v1/actors/{actor}", Who::May(P::Record), Thing::NewActor, 200),
    rule("POST /v1/actors/{actor}/aliases", Who::May(P::Record), Thing::NewActor, 200),
    rule("DELETE /v1/actors/{actor}/aliases/{alias}", Who::May(P::Record), Thing::NoAlias, 404),
    rule("GET /v1/actors/{actor}/activities", Who::May(P::Read), Thing::NoActor, 200),
    rule("GET /v1/reports/active-users", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/activity", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/funnel", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/paths", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/retention", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/sessions", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/top", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/reports/week-hours", Who::May(P::Read), Thing::Nothing, 200),
    rule("GET /v1/session", Who::LoggedIn, Thing::Nothing, 200),
    rule("POST /v1/session", Who::Anyone, Thing::Nothing, 200),
    rule("DELETE /v1/session", Who::LoggedIn, Thing::Nothing, 204),
    rule("GET /v1/sessions", Who::LoggedIn, Thing::Nothing, 200),
    rule("DELETE /v1/sessions/{id}", Who::LoggedIn, Thing::Session, 204),
    rule("GET /v1/tokens", Who::May(P::ManageTokens), Thing::Nothing, 200),
    rule("POST /v1/tokens", Who::May(P::ManageTokens), Thing::Nothing, 201),
    rule("DELETE /v1/tokens/{id}", Who::May(P::ManageTokens), Thing::Token, 204),
    rule("GET /v1/tokens/{id}/history", Who::May(P::TraceTokens), Thing::Token, 200),
    rule("POST /v1/tokens/{id}/rotate", Who::May(P::ManageTokens), Thing::Token, 201),
];

use std::fmt;

use axum::routing::MethodFilter;

use Session::{Forward, Ignore, Resolve};
use Target::{Activities, Customers, Reports};

/// A service behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The write side, which owns the log of activities.
    Activities,
    /// Customers, sessions and tokens.
    Customers,
    /// The read side.
    Reports,
}

impl Target {
    /// All services.
    pub(crate) const ALL: [Self; 3] = [Activities, Customers, Reports];

    /// Its name, as operators know it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Activities => "activities",
            Customers => "customers",
            Reports => "reports",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to the session cookie of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// It is exchanged for the principal, and writes need the CSRF token.
    Resolve,
    /// It goes on as it is: the service deals with sessions itself.
    Forward,
    /// It is left out: a foreign client shows a token, in a header or in the body, and the service alone can find it there
    /// and refuse it in the client's own words. A page of the same site may send a cookie along.
    Ignore,
}

/// Which service answers which methods of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// A path in axum's notation.
    pub(crate) path: &'static str,
    /// Its methods; `HEAD` comes with `GET`.
    pub(crate) methods: MethodFilter,
    /// The service that answers.
    pub(crate) target: Target,
    /// What happens to the session cookie.
    pub(crate) session: Session,
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const PATCH: MethodFilter = MethodFilter::PATCH;
const DELETE: MethodFilter = MethodFilter::DELETE;
/// The methods of one activity.
const ACTIVITY: MethodFilter = GET.or(PATCH).or(DELETE);

/// Where sessions begin and end.
pub(crate) const SESSION_PATH: &str = "/v1/session";

/// The paths where writes end sessions or change what they may do.
const PEOPLE_PATHS: [&str; 5] = [
    "/v1/members/{member}",
    "/v1/sessions/{session}",
    "/v1/customers/self",
    "/v1/password",
    "/v1/password/reset",
];

impl Route {
    /// Whether a write there may end sessions or change what they may do.
    pub(crate) fn is_about_people(&self) -> bool {
        PEOPLE_PATHS.contains(&self.path)
    }
}

/// Everything the public can reach in the services. A path may stand here more than once, with different methods.
pub(crate) const ROUTES: &[Route] = &[
    route("/v1/activities", GET, Reports, Resolve),
    route("/v1/activities", POST, Activities, Resolve),
    route("/v1/activities/batch", POST, Activities, Resolve),
    route("/v1/activities/stream", POST, Activities, Resolve),
    // An id may be any word, also `batch`. The empty one is no id: the query has it.
    route("/v1/activities/batch", ACTIVITY, Activities, Resolve),
    route("/v1/activities/stream", ACTIVITY, Activities, Resolve),
    route("/v1/activities/", ACTIVITY, Activities, Resolve),
    route("/v1/activities/{*id}", ACTIVITY, Activities, Resolve),
    route("/v1/ingest/rejections", GET, Activities, Resolve),
    route("/v1/batch", POST, Activities, Ignore),
    route("/v1/batch/", POST, Activities, Ignore),
    route("/v1/track", POST, Activities, Ignore),
    route("/v1/identify", POST, Activities, Ignore),
    route("/v1/page", POST, Activities, Ignore),
    route("/v1/screen", POST, Activities, Ignore),
    route("/v1/group", POST, Activities, Ignore),
    route("/v1/alias", POST, Activities, Ignore),
    route("/v1/b", POST, Activities, Ignore),
    route("/v1/t", POST, Activities, Ignore),
    route("/v1/i", POST, Activities, Ignore),
    route("/v1/p", POST, Activities, Ignore),
    route("/v1/s", POST, Activities, Ignore),
    route("/v1/g", POST, Activities, Ignore),
    route("/v1/a", POST, Activities, Ignore),
    route("/v1/projects/{key}/settings", GET, Activities, Ignore),
    route("/v1/logs", POST, Activities, Ignore),
    route("/v1/logs/", POST, Activities, Ignore),
    route("/v1/cloudevents", POST, Activities, Ignore),
    route("/v1/cloudevents/", POST, Activities, Ignore),
    route("/batch", POST, Activities, Ignore),
    route("/batch/", POST, Activities, Ignore),
    route("/capture", POST, Activities, Ignore),
    route("/capture/", POST, Activities, Ignore),
    route("/e", POST, Activities, Ignore),
    route("/e/", POST, Activities, Ignore),
    route("/i/v0/e", POST, Activities, Ignore),
    route("/i/v0/e/", POST, Activities, Ignore),
    route("/i/v1/analytics/events", POST, Activities, Ignore),
    route("/i/v1/analytics/events/", POST, Activities, Ignore),
    route("/flags", POST, Activities, Ignore),
    route("/flags/", POST, Activities, Ignore),
    route("/decide", POST, Activities, Ignore),
    route("/decide/", POST, Activities, Ignore),
    route("/array/{key}/config", GET, Activities, Ignore),
    route("/array/{key}/config.js", GET, Activities, Ignore),
    route("/v1/history", GET, Activities, Resolve),
    route("/v1/history/{*stream}", GET, Activities, Resolve),
    route("/v1/reports/{*report}", GET, Reports, Resolve),
    route("/v1/actors", GET, Reports, Resolve),
    route("/v1/actors/{*actor}", GET, Reports, Resolve),
    route("/v1/actors/{*actor}", PUT.or(POST).or(DELETE), Activities, Resolve),
    route("/v1/projections", GET, Reports, Resolve),
    route("/v1/projections/{*projection}", GET.or(POST), Reports, Resolve),
    route("/v1/dead-letters", GET, Reports, Resolve),
    route("/v1/dead-letters/{*letter}", POST, Reports, Resolve),
    route("/v1/customers", POST, Customers, Forward),
    route("/v1/customers/self", GET.or(PATCH), Customers, Resolve),
    route("/v1/members", GET.or(POST), Customers, Resolve),
    route("/v1/members/{member}", PATCH.or(DELETE), Customers, Resolve),
    route("/v1/invitations", GET, Customers, Resolve),
    route("/v1/invitations/accept", POST, Customers, Forward),
    route("/v1/invitations/{invitation}", DELETE, Customers, Resolve),
    route("/v1/sessions", GET, Customers, Forward),
    route("/v1/sessions/{session}", DELETE, Customers, Forward),
    route("/v1/password", POST, Customers, Forward),
    route("/v1/password/forgotten", POST, Customers, Forward),
    route("/v1/password/reset", POST, Customers, Forward),
    route(SESSION_PATH, GET.or(POST).or(DELETE), Customers, Forward),
    route("/v1/tokens", GET.or(POST), Customers, Resolve),
    route("/v1/tokens/{token}", DELETE, Customers, Resolve),
    route("/v1/tokens/{token}/history", GET, Customers, Resolve),
    route("/v1/tokens/{token}/rotate", POST, Customers, Resolve),
];

const fn route(path: &'static str, methods: MethodFilter, target: Target, session: Session) -> Route {
    Route { path, methods, target, session }
}

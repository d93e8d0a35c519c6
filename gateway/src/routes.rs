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

/// Which pages of other origins may read a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// None: their browser keeps it from them.
    None,
    /// Those that the public token of the request names.
    OfToken,
    /// All: it is the same for everybody.
    All,
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
    /// Which pages of other origins may use it.
    pub(crate) pages: Pages,
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
    ingest("/v1/activities"),
    ingest("/v1/activities/batch"),
    route("/v1/activities/stream", POST, Activities, Resolve),
    // An id may be any word, also `batch`. The empty one is no id: the query has it.
    route("/v1/activities/batch", ACTIVITY, Activities, Resolve),
    route("/v1/activities/stream", ACTIVITY, Activities, Resolve),
    route("/v1/activities/", ACTIVITY, Activities, Resolve),
    route("/v1/activities/{*id}", ACTIVITY, Activities, Resolve),
    route("/v1/ingest/rejections", GET, Activities, Resolve),
    foreign("/v1/batch"),
    foreign("/v1/batch/"),
    foreign("/v1/track"),
    foreign("/v1/identify"),
    foreign("/v1/page"),
    foreign("/v1/screen"),
    foreign("/v1/group"),
    foreign("/v1/alias"),
    foreign("/v1/b"),
    foreign("/v1/t"),
    foreign("/v1/i"),
    foreign("/v1/p"),
    foreign("/v1/s"),
    foreign("/v1/g"),
    foreign("/v1/a"),
    foreign_settings("/v1/projects/{key}/settings", GET),
    foreign("/v1/logs"),
    foreign("/v1/logs/"),
    foreign("/v1/cloudevents"),
    foreign("/v1/cloudevents/"),
    foreign("/batch"),
    foreign("/batch/"),
    foreign("/capture"),
    foreign("/capture/"),
    foreign("/e"),
    foreign("/e/"),
    foreign("/i/v0/e"),
    foreign("/i/v0/e/"),
    foreign("/i/v1/analytics/events"),
    foreign("/i/v1/analytics/events/"),
    foreign_settings("/flags", POST),
    foreign_settings("/flags/", POST),
    foreign_settings("/decide", POST),
    foreign_settings("/decide/", POST),
    foreign_settings("/array/{key}/config", GET),
    foreign_settings("/array/{key}/config.js", GET),
    route("/v1/history", GET, Activities, Resolve),
    route("/v1/history/{*stream}", GET, Activities, Resolve),
    route("/v1/reports/{*report}", GET, Reports, Resolve),
    route("/v1/actors", GET, Reports, Resolve),
    route("/v1/actors/{actor}", GET, Reports, Resolve),
    route("/v1/actors/{actor}", PUT, Activities, Resolve),
    route("/v1/actors/{actor}/activities", GET, Reports, Resolve),
    route("/v1/actors/{actor}/aliases", POST, Activities, Resolve),
    route("/v1/actors/{actor}/aliases/{alias}", DELETE, Activities, Resolve),
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
    Route { path, methods, target, session, pages: Pages::None }
}

impl Route {
    /// The gateway answers for it what browsers ask about pages of other origins (CORS).
    const fn for_pages(self, pages: Pages) -> Self {
        Self { pages, ..self }
    }
}

/// Where activities are recorded, with a session too.
const fn ingest(path: &'static str) -> Route {
    route(path, POST, Activities, Resolve).for_pages(Pages::OfToken)
}

/// Where clients of others record.
const fn foreign(path: &'static str) -> Route {
    route(path, POST, Activities, Ignore).for_pages(Pages::OfToken)
}

/// What clients of others ask beside recording, which is the same for everybody.
const fn foreign_settings(path: &'static str, methods: MethodFilter) -> Route {
    route(path, methods, Activities, Ignore).for_pages(Pages::All)
}

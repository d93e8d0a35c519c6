use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, on};
use bytes::Bytes;
use chassis::{InternalKey, StartError, Upstream};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::answers::{Asked, finish, refuse};
use crate::client::TrustedProxies;
use crate::config::{Config, Limits};
use crate::cookies::SessionCookie;
use crate::error::GatewayError;
use crate::flight::Flight;
use crate::handlers::{forward, openapi, pages};
use crate::rates::Rates;
use crate::routes::{ROUTES, Target};
use crate::sessions::Sessions;
use crate::site::Site;

/// What the handlers share.
pub(crate) struct Gateway {
    activities: Upstream,
    customers: Upstream,
    reports: Upstream,
    pub(crate) internal_key: InternalKey,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) session_cookie: SessionCookie,
    pub(crate) limits: Limits,
    flight: Flight,
    pub(crate) sessions: Sessions,
    pub(crate) rates: Rates,
    pub(crate) openapi: Bytes,
    pub(crate) site: Site,
}

impl Gateway {
    /// # Errors
    /// [`StartError::Unusable`] if the OpenAPI document cannot be written as JSON.
    pub(crate) fn new(config: Config, site: Site) -> Result<Self, StartError> {
        let openapi = serde_json::to_vec(&config.openapi).map_err(|error| {
            StartError::Unusable(format!("the OpenAPI document cannot be written: {error}"))
        })?;
        Ok(Self {
            flight: Flight::new(config.limits.requests_max),
            sessions: Sessions::new(config.customers.clone(), config.internal_key.clone(), config.limits),
            rates: Rates::new(
                config.limits.rates,
                config.limits.requests_max,
                config.customers.clone(),
                config.internal_key.clone(),
            ),
            activities: config.activities,
            customers: config.customers,
            reports: config.reports,
            internal_key: config.internal_key,
            trusted_proxies: config.trusted_proxies,
            session_cookie: config.session_cookie,
            limits: config.limits,
            openapi: openapi.into(),
            site,
        })
    }

    pub(crate) fn upstream(&self, target: Target) -> &Upstream {
        match target {
            Target::Activities => &self.activities,
            Target::Customers => &self.customers,
            Target::Reports => &self.reports,
        }
    }
}

/// Every public route but `/healthz` and `/readyz`, which must answer even when the door is full.
pub(crate) fn router(gateway: Gateway) -> Router {
    let gateway = Arc::new(gateway);
    let through = |State(gateway): State<Arc<Gateway>>, request: Request, next: Next| async move {
        pass(&gateway, request, |request| async { Ok(next.run(request).await) }).await
    };
    let no_method = |State(gateway): State<Arc<Gateway>>, request: Request| async move {
        pass(&gateway, request, |_| async { Err(GatewayError::MethodNotAllowed) }).await
    };
    services()
        .merge(pages().layer(middleware::from_fn_with_state(Arc::clone(&gateway), through)))
        .method_not_allowed_fallback(no_method)
        .with_state(gateway)
}

/// What every request goes through. Not a layer around the services' routes: it would cost each request a boxed future
/// and a copy of all that is below it.
async fn pass<F: Future<Output = Result<Response, GatewayError>>>(
    gateway: &Gateway,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let asked = Asked::by(&request);
    let place = match gateway.flight.enter() {
        Ok(place) => place,
        Err(error) => return refuse(&asked, error),
    };
    match answer(request).await {
        Ok(response) => finish(asked, place.kept_by(response)).await,
        Err(error) => refuse(&asked, error),
    }
}

fn services() -> Router<Arc<Gateway>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let handler = move |State(gateway): State<Arc<Gateway>>, request: Request| async move {
            pass(&gateway, request, |request| forward(&gateway, route, request)).await
        };
        router.route(route.path, on(route.methods, handler))
    })
}

fn pages() -> Router<Arc<Gateway>> {
    // A problem stays as it is, for the request's name has yet to be written into it.
    let worth_compressing =
        DefaultPredicate::new().and(NotForContentType::const_new("application/problem+json"));
    Router::new()
        .route("/", get(pages::dashboard))
        .route("/docs", get(pages::docs))
        .route("/assets/{*file}", get(pages::asset))
        .route("/openapi.json", get(openapi::document))
        .fallback(pages::other)
        .layer(CompressionLayer::new().compress_when(worth_compressing))
}

//! Names that the gateway and the services behind it share.

use http::HeaderName;

/// The session's cookie, as services know it. Browsers know it under a name of the instance, which the gateway makes from
/// this one.
pub const SESSION_COOKIE: &str = "daybook_session";
/// The header in which a write with the cookie shows the session's CSRF token.
pub const CSRF_TOKEN_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The header in which the gateway says from where the client connects.
pub const FORWARDED_FOR_HEADER: HeaderName = HeaderName::from_static("x-forwarded-for");

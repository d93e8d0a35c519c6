use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// An `Authorization` header that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Returns the secret in an `Authorization` header: a bearer token (RFC 6750), or the user name of HTTP Basic (RFC 7617).
/// None with another scheme; the case of the scheme does not matter.
///
/// # Errors
/// [`Unreadable`] without a scheme, or with what is no text.
pub fn shown_secret(header: &HeaderValue) -> Result<Option<Cow<'_, str>>, Unreadable> {
    let text = header.to_str().map_err(|_| Unreadable)?;
    let (scheme, rest) = text.split_once(' ').ok_or(Unreadable)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(Cow::Borrowed(rest)));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let pair = STANDARD.decode(rest).map_err(|_| Unreadable)?;
    let mut pair = String::from_utf8(pair).map_err(|_| Unreadable)?;
    pair.truncate(pair.find(':').unwrap_or(pair.len()));
    Ok(Some(Cow::Owned(pair)))
}

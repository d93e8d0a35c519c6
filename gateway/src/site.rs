use std::fmt::Write;

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{Embed, EmbeddedFile};

/// The dashboard, as `npm run build` leaves it.
#[derive(Embed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Built;

/// The files of the dashboard.
#[derive(Clone, Copy)]
pub(crate) struct Site(fn(&str) -> Option<EmbeddedFile>);

/// How long a browser may keep a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Its name has a hash of its content: it never changes.
    Forever,
    /// It is asked about every time.
    Revalidate,
}

const SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
const NOT_BUILT: &str = include_str!("not_built.html");
const ETAG_BYTES: usize = 16;

impl Site {
    /// The files that were there when this crate was built.
    pub(crate) fn built() -> Self {
        Self(Built::get)
    }

    #[cfg(test)]
    pub(crate) fn of<E: Embed>() -> Self {
        Self(E::get)
    }

    /// A file, if there is one.
    pub(crate) fn file(self, path: &str, keep: Keep, headers: &HeaderMap) -> Option<Response> {
        let file = (self.0)(path)?;
        let etag = etag(&file);
        let unchanged = headers.get_all(IF_NONE_MATCH).iter().any(|known| matches(known, &etag));
        let mut response =
            if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
        let kept = match keep {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::Revalidate => "no-cache",
        };
        let headers = response.headers_mut();
        secure(headers);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(ETAG, etag);
        }
        if unchanged {
            headers.remove(CONTENT_TYPE);
        } else if let Ok(media_type) = HeaderValue::from_str(media_type(path).as_ref()) {
            headers.insert(CONTENT_TYPE, media_type);
        }
        Some(response)
    }

    /// A page, or another one that says how to build it.
    pub(crate) fn page(self, path: &str, headers: &HeaderMap) -> Response {
        self.file(path, Keep::Revalidate, headers).unwrap_or_else(|| {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            let mut response =
                (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, html)], NOT_BUILT).into_response();
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            secure(response.headers_mut());
            response
        })
    }
}

fn secure(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, SECURITY_POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

fn media_type(path: &str) -> String {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    match guess.type_() {
        mime_guess::mime::TEXT => format!("{guess}; charset=utf-8"),
        _ => guess.to_string(),
    }
}

/// Weak, for a compressed body has the same one.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let mut tag = String::from("W/\"");
    for byte in &hash[..ETAG_BYTES] {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn matches(known: &HeaderValue, etag: &str) -> bool {
    known.to_str().is_ok_and(|known| known.split(',').any(|one| one.trim() == etag || one.trim() == "*"))
}

use std::io::Read;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::parameters::in_words;
use crate::problem::{FieldError, Problem};

mod stream;
pub use stream::LinesBody;

/// How large a body may be and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// After decompression, in bytes.
    pub bytes_max: usize,
    /// From the first byte to the last, in seconds.
    pub timeout_s: u64,
}

/// Largest window of a zstd frame: 8 MiB, what RFC 8878 asks every decoder to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes_max: 1024 * 1024, timeout_s: 30 }
    }
}

/// Whether a body is `application/json`, or of a type built on it such as `application/merge-patch+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = content_type(headers).split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// JSON has no other encoding (RFC 8259, 8.1); ASCII is a part of it.
fn is_utf_8(headers: &HeaderMap) -> bool {
    let charset = content_type(headers).split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    charset.is_none_or(|charset| ["utf-8", "utf8", "us-ascii"].contains(&charset.as_str()))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn unknown_charset() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-charset")
        .with_detail("JSON is UTF-8: send it so, without another charset in content-type.")
}

fn unknown_encoding() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-content-encoding")
        .with_detail("Send content-encoding: gzip, zstd or none.")
}

/// How a body is encoded, whatever the case of the names (RFC 9110, 8.4.1); none for what is not understood.
fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let lines = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let named = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let codings: Vec<String> = named.filter(|name| !name.is_empty() && name != "identity").collect();
    match codings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(Encoding::Identity),
        // Recipients take the one for the other (RFC 9110, 8.4.1.3).
        ["gzip" | "x-gzip"] => Some(Encoding::Gzip),
        ["zstd"] => Some(Encoding::Zstd),
        _ => None,
    }
}

/// Reads a JSON request's body, decompressing `gzip` and `zstd` as it comes and stopping at the limit, so that a bomb
/// is never inflated.
///
/// # Errors
/// 415 for another content type or encoding, 413 beyond the limit, 408 when it comes too slowly, 400 when it breaks off
/// or is not what its encoding says.
pub async fn read_body(request: Request, limits: BodyLimits) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
            .with_detail("Send content-type: application/json."));
    }
    if !is_utf_8(&parts.headers) {
        return Err(unknown_charset());
    }
    read_bytes(&parts.headers, body, limits).await.and_then(without_mark)
}

/// As [`read_body`], for a body of any content type.
///
/// # Errors
/// As there, without those of JSON.
pub async fn read_bytes(headers: &HeaderMap, body: Body, limits: BodyLimits) -> Result<Bytes, Problem> {
    let encoding = encoding(headers).ok_or_else(unknown_encoding)?;
    let collecting = async {
        let sent = collect(body, limits.bytes_max).await?;
        match encoding {
            Encoding::Identity => Ok(sent),
            // Inflating takes milliseconds of a core, too long for a thread that serves others.
            Encoding::Gzip | Encoding::Zstd => {
                tokio::task::spawn_blocking(move || inflate(&sent, encoding, limits.bytes_max))
                    .await
                    .unwrap_or_else(|error| Err(CollectError::Broken(error.to_string())))
            }
        }
    };
    let deadline = std::time::Duration::from_secs(limits.timeout_s);
    match tokio::time::timeout(deadline, collecting).await {
        Ok(collected) => collected.map_err(|error| error.into_problem(limits)),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow")
            .with_detail(format!("The body did not arrive within {} s.", limits.timeout_s))),
    }
}

/// The text without the byte order mark that some editors put before it (RFC 8259, 8.1, lets a parser ignore it).
fn without_mark(bytes: Bytes) -> Result<Bytes, Problem> {
    match bytes.as_ref() {
        [0xEF, 0xBB, 0xBF, ..] => Ok(bytes.slice(3..)),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(Problem::bad_request("malformed-json")
            .with_detail("The body begins with a byte order mark of UTF-16. JSON is UTF-8: send it so.")),
        _ => Ok(bytes),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

enum CollectError {
    TooLarge,
    Broken(String),
}

impl CollectError {
    fn into_problem(self, limits: BodyLimits) -> Problem {
        match self {
            Self::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large").with_detail(
                format!("A body here may have at most {} bytes after decompression.", limits.bytes_max),
            ),
            Self::Broken(reason) => unreadable_body(&reason),
        }
    }
}

/// A body that broke off, or that is not what its encoding says.
#[must_use]
pub fn unreadable_body(reason: &dyn std::fmt::Display) -> Problem {
    Problem::bad_request("unreadable-body").with_detail(format!("The body cannot be read: {reason}."))
}

/// Inflates a body that is gzip though no header says so, within the limit.
///
/// # Errors
/// 413 beyond the limit, 400 for what is not gzip.
pub fn gunzip(sent: &[u8], limits: BodyLimits) -> Result<Bytes, Problem> {
    inflate(sent, Encoding::Gzip, limits.bytes_max).map_err(|error| error.into_problem(limits))
}

/// Inflates at most `bytes_max` bytes and refuses what would be more.
fn inflate(sent: &[u8], encoding: Encoding, bytes_max: usize) -> Result<Bytes, CollectError> {
    let broken = |error: std::io::Error| CollectError::Broken(error.to_string());
    let decoder: Box<dyn Read + '_> = match encoding {
        Encoding::Identity => Box::new(sent),
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(sent)),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(sent).map_err(broken)?;
            // The window is memory that the sender chooses.
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            Box::new(decoder)
        }
    };
    let mut inflated = Vec::with_capacity(sent.len().saturating_mul(4).min(bytes_max));
    decoder.take(bytes_max as u64 + 1).read_to_end(&mut inflated).map_err(broken)?;
    if inflated.len() > bytes_max { Err(CollectError::TooLarge) } else { Ok(inflated.into()) }
}

async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, CollectError> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(CollectError::TooLarge),
        Err(error) => Err(CollectError::Broken(error.to_string())),
    }
}

/// Parses a JSON body, which is an object.
///
/// # Errors
/// 400 for text that is not JSON; 422 with a pointer for JSON that does not fit.
pub fn parse_json<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Problem> {
    let is_json = || serde_json::from_slice::<&RawValue>(bytes).is_ok();
    // serde takes a list for a struct, field by field.
    if bytes.trim_ascii_start().starts_with(b"[") && is_json() {
        let detail = "must be an object".to_owned();
        return Err(Problem::invalid(vec![FieldError { pointer: String::new(), detail }]));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // serde_json calls a lone surrogate or a number that no double holds a matter of syntax; the text is JSON all the
        // same, and what is wrong with it has a place.
        if error.is_data() || is_json() {
            Problem::invalid(vec![misfit::<T>(bytes, &error)])
        } else {
            Problem::bad_request("malformed-json").with_detail(format!("The body is not JSON: {error}."))
        }
    })
}

/// Where and why JSON does not fit. Parsed again, with a path, only now that it has failed.
fn misfit<'de, T: Deserialize<'de>>(bytes: &'de [u8], first: &serde_json::Error) -> FieldError {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (pointer, error) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (String::new(), first.to_string()),
        Err(error) => (pointer(error.path()), error.inner().to_string()),
    };
    let detail = error.rsplit_once(" at line ").map_or(error.clone(), |(message, _)| message.to_owned());
    FieldError { pointer: with_named_field(pointer, &detail), detail: in_words(&detail) }
}

/// serde names a missing, unknown or repeated field in its message, and places the fault at the object around it.
fn with_named_field(pointer: String, detail: &str) -> String {
    let named = ["missing field `", "unknown field `", "duplicate field `"].iter().find_map(|prefix| {
        let (name, _) = detail.strip_prefix(prefix)?.split_once('`')?;
        Some(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
    });
    match named {
        Some(step) if !pointer.ends_with(&step) => pointer + &step,
        _ => pointer,
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// [`read_body`] and [`parse_json`] in one.
///
/// # Errors
/// As both.
pub async fn read_json<T: DeserializeOwned>(
    request: Request<Body>,
    limits: BodyLimits,
) -> Result<T, Problem> {
    parse_json(&read_body(request, limits).await?)
}

/// An extractor for small JSON bodies within the default limits.
#[derive(Clone, Copy, Debug)]
pub struct ProblemJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ProblemJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_json(request, BodyLimits::default()).await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits { bytes_max: 1_000, timeout_s: 1 };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn read(encoding: &str, body: Vec<u8>) -> Result<Bytes, (u16, String)> {
        let request = Request::builder().header("content-type", "application/json; charset=utf-8");
        let request = request.header("content-encoding", encoding).body(Body::from(body)).unwrap();
        read_body(request, LIMITS).await.map_err(|problem| (problem.status.as_u16(), problem.kind))
    }

    #[tokio::test]
    async fn a_compressed_body_is_inflated() {
        assert_eq!(read("gzip", gzip(b"[1]")).await.unwrap(), "[1]");
        assert_eq!(read("zstd", zstd::encode_all(&b"[1]"[..], 3).unwrap()).await.unwrap(), "[1]");
    }

    #[tokio::test]
    async fn a_bomb_is_refused() {
        let bomb = vec![b' '; 5_000_000];
        for (encoding, body) in [("gzip", gzip(&bomb)), ("zstd", zstd::encode_all(&bomb[..], 19).unwrap())] {
            assert_eq!(read(encoding, body).await.unwrap_err(), (413, "/problems/body-too-large".into()));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_what_it_says_is_refused() {
        for encoding in ["gzip", "zstd"] {
            assert_eq!(read(encoding, b"[1]".to_vec()).await.unwrap_err().0, 400);
        }
        assert_eq!(read("br", b"[1]".to_vec()).await.unwrap_err().0, 415);
    }

    #[tokio::test]
    async fn names_of_encodings_may_be_written_in_any_case() {
        for name in ["GZIP", "x-gzip", "X-GZip", "identity, gzip", "gzip,"] {
            assert_eq!(read(name, gzip(b"[1]")).await.unwrap(), "[1]", "{name}");
        }
        assert_eq!(read("ZStd", zstd::encode_all(&b"[1]"[..], 3).unwrap()).await.unwrap(), "[1]");
        for name in ["Identity", "IDENTITY", "identity, identity", ""] {
            assert_eq!(read(name, b"[1]".to_vec()).await.unwrap(), "[1]", "{name}");
        }
        for name in ["gzip, zstd", "gzip, gzip", "deflate", "gzip;q=1"] {
            assert_eq!(read(name, b"[1]".to_vec()).await.unwrap_err().0, 415, "{name}");
        }
    }

    #[tokio::test]
    async fn names_of_media_types_and_charsets_may_be_written_in_any_case() {
        let read = async |content_type: &str| {
            let request =
                Request::builder().header("Content-Type", content_type).body(Body::from("[1]")).unwrap();
            read_body(request, LIMITS).await.map_err(|problem| problem.status.as_u16())
        };
        for content_type in [
            "Application/JSON",
            "application/json;Charset=UTF-8",
            "application/json; charset=\"Utf-8\"; version=1",
            "APPLICATION/Merge-Patch+JSON",
            "application/json; charset=US-ASCII",
        ] {
            assert_eq!(read(content_type).await.unwrap(), "[1]", "{content_type}");
        }
        for content_type in
            ["text/json", "application/json; charset=iso-8859-1", "application/json; CHARSET=utf-16"]
        {
            assert_eq!(read(content_type).await.unwrap_err(), 415, "{content_type}");
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over_or_named() {
        let marked = "\u{feff}[1]".as_bytes();
        assert_eq!(read("identity", marked.to_vec()).await.unwrap(), "[1]");
        assert_eq!(read("gzip", gzip(marked)).await.unwrap(), "[1]");
        for utf_16 in [&b"\xff\xfe[\0"[..], b"\xfe\xff\0["] {
            assert_eq!(
                read("identity", utf_16.to_vec()).await.unwrap_err(),
                (400, "/problems/malformed-json".into())
            );
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_is_told_what_one_looks_like() {
        #[derive(Debug, serde::Deserialize)]
        struct Order {
            #[expect(dead_code, reason = "only its shape matters")]
            at: chrono::DateTime<chrono::Utc>,
        }
        for text in
            ["2026-03-01", "2026-03-01T09:30:00", "soon", "2026-03-01T09:30:00Zx", "2026-13-01T00:00:00Z"]
        {
            let problem = parse_json::<Order>(format!("{{\"at\":\"{text}\"}}").as_bytes()).unwrap_err();
            let detail = &problem.errors[0].detail;
            assert!(detail.contains("such as 2026-03-01T09:30:00Z"), "{text}: {detail}");
        }
    }

    #[test]
    fn a_misfit_says_where_it_is() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Order {
            #[expect(dead_code, reason = "only its shape matters")]
            items: Vec<u32>,
        }
        let pointer =
            |body: &'static str| parse_json::<Order>(body.as_bytes()).unwrap_err().errors.remove(0).pointer;
        assert_eq!(pointer("{}"), "/items");
        assert_eq!(pointer(" [[1]]"), "");
        assert_eq!(pointer(r#"{"items":[],"items":[]}"#), "/items");
        assert_eq!(pointer(r#"{"items":[],"x/y":1}"#), "/x~1y");
        let problem = parse_json::<Order>(br#"{"items":[1,"x"]}"#).unwrap_err();
        assert_eq!(problem.errors[0].pointer, "/items/1");
        let problem = parse_json::<Order>(br#"{"items":[1e999]}"#).unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.errors[0].pointer.as_str()), (422, "/items/0"));
        assert_eq!(parse_json::<Order>(b"{").unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}

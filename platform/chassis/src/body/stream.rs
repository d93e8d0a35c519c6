use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::extract::Request;
use bytes::BytesMut;
use futures::TryStreamExt;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

use super::{
    Encoding, ZSTD_WINDOW_LOG_MAX, content_type, encoding, is_utf_8, unknown_charset, unknown_encoding,
};
use crate::problem::Problem;

/// How lines of JSON are called; the first is what we ask for.
const MEDIA_TYPES: [&str; 5] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-lines",
];
/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// A body of lines that is read as it comes and inflated as it is read: it takes the same memory however long it is, and
/// however far it inflates.
pub struct LinesBody(Pin<Box<dyn AsyncRead + Send>>);

impl LinesBody {
    /// The body of a request.
    ///
    /// # Errors
    /// 415 for another content type, charset or encoding.
    pub fn of(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let media_type = content_type(&parts.headers).split(';').next().unwrap_or("").trim();
        if !MEDIA_TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known)) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
                .with_detail(format!("Send content-type: {}.", MEDIA_TYPES[0])));
        }
        if !is_utf_8(&parts.headers) {
            return Err(unknown_charset());
        }
        let encoding = encoding(&parts.headers).ok_or_else(unknown_encoding)?;
        let sent = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
        Ok(Self(match encoding {
            Encoding::Identity => Box::pin(sent),
            Encoding::Gzip => {
                let mut decoder = GzipDecoder::new(sent);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Encoding::Zstd => {
                // The window is memory that the sender chooses.
                let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
                let mut decoder = ZstdDecoder::with_params(sent, &[window]);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
        }))
    }

    /// Adds what has come to `text`, after waiting for it. Returns how many bytes that is; 0 at the end. Nothing is lost
    /// when the future is dropped.
    ///
    /// # Errors
    /// The body breaks off, or is not what its encoding says.
    pub async fn read(&mut self, text: &mut BytesMut) -> io::Result<usize> {
        text.reserve(READ_BYTES);
        self.0.read_buf(text).await
    }
}

impl std::fmt::Debug for LinesBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinesBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::body::Body;

    use super::*;

    const BOMB_BYTES: usize = 64 * 1024 * 1024;

    fn body(encoding: &str, bytes: Vec<u8>) -> LinesBody {
        let request = Request::builder().header("content-type", "Application/X-NDJSON; charset=utf-8");
        LinesBody::of(request.header("content-encoding", encoding).body(Body::from(bytes)).unwrap()).unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn whole(mut body: LinesBody) -> io::Result<BytesMut> {
        let mut text = BytesMut::new();
        while body.read(&mut text).await? > 0 {}
        Ok(text)
    }

    #[tokio::test]
    async fn members_one_after_the_other_are_inflated() {
        let gzipped = [gzip(b"{}\n"), gzip(b"[]")].concat();
        assert_eq!(&whole(body("gzip", gzipped)).await.unwrap()[..], b"{}\n[]");
        let frames = [b"{}\n", b"[]\n"].map(|text| zstd::encode_all(&text[..], 3).unwrap()).concat();
        assert_eq!(&whole(body("zstd", frames)).await.unwrap()[..], b"{}\n[]\n");
    }

    #[tokio::test]
    async fn a_bomb_is_inflated_by_small_pieces() {
        let bomb = vec![b' '; BOMB_BYTES];
        for (encoding, sent) in [("gzip", gzip(&bomb)), ("zstd", zstd::encode_all(&bomb[..], 19).unwrap())] {
            let mut body = body(encoding, sent);
            let (mut text, mut bytes) = (BytesMut::new(), 0);
            loop {
                text.clear();
                match body.read(&mut text).await.unwrap() {
                    0 => break,
                    read => bytes += read,
                }
                assert!(text.capacity() <= 4 * READ_BYTES, "{encoding}: {}", text.capacity());
            }
            assert_eq!(bytes, BOMB_BYTES, "{encoding}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_off_is_an_error_and_no_end() {
        let text = vec![b'{'; 1_000];
        for (encoding, sent) in [("gzip", gzip(&text)), ("zstd", zstd::encode_all(&text[..], 3).unwrap())] {
            let cut = sent[..sent.len() - 3].to_vec();
            assert!(whole(body(encoding, cut)).await.is_err(), "{encoding}");
        }
    }

    #[test]
    fn only_lines_are_taken() {
        let of = |content_type: &str| {
            let request = Request::builder().header("content-type", content_type).body(Body::empty());
            LinesBody::of(request.unwrap()).err().map(|problem| problem.status.as_u16())
        };
        assert_eq!(of("application/jsonl"), None);
        for refused in ["application/json", "", "application/x-ndjson; charset=utf-16"] {
            assert_eq!(of(refused), Some(415), "{refused}");
        }
    }
}

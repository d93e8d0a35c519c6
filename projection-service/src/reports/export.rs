//! Export of a report or a list as CSV, NDJSON or Parquet.

mod activities;
mod cell;
mod csv_text;
mod parquet_file;
mod table;

use http::HeaderMap;
use http::header::ACCEPT;
use serde::Deserialize;
use utoipa::ToSchema;

pub(crate) use activities::stream;
pub(crate) use table::Table;

/// The format of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Json,
    Csv,
    Ndjson,
    Parquet,
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Ndjson, Self::Parquet];

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The parameter `format`, else the format with the highest quality in `Accept` (RFC 9110, section 12.5.1). JSON if none
    /// fits, because every client can at least read an error in it.
    pub(crate) fn chosen(asked: Option<Self>, headers: &HeaderMap) -> Self {
        if let Some(asked) = asked {
            return asked;
        }
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut best = (0, Self::Json);
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
            let quality = (quality.unwrap_or(1.0) * 1_000.0) as u32;
            let is_named = |format: &Self| format.media_type().split(';').next() == Some(&name);
            let found = Self::ALL.into_iter().find(is_named).or((name == "*/*").then_some(Self::Json));
            if let Some(format) = found.filter(|_| quality > best.0) {
                best = (quality, format);
            }
        }
        best.1
    }
}

//! What all reports and lists share: common parameters, the moment in `as_of`, the `ETag`, and the format of the response.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use access::Caller;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use chassis::{PAGE_ITEMS_DEFAULT, Problem};
use chrono::{DateTime, Datelike, Utc, Weekday};
use chrono_tz::Tz;
use domain::CustomerId;
use domain::token::Scope;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::etag::EntityTag;
use super::export::{Format, Table, stream};
use super::listing::{Cursor, PageOfRows};
use super::moment::{RequestedMoment, look};
use super::parameters::{Common, read};
use super::query::{Query, TimeRange};
use super::range::Calendar;
use crate::answers::AsOf;
use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::{Activity, Moment, StandingRow, View};

/// Weeks begin on it unless the customer says otherwise.
const WEEK_START: Weekday = Weekday::Mon;
/// Activities that an export reads in one page.
const EXPORT_PAGE: usize = 5_000;
/// The position of `as_of`, for formats whose body has no field for it.
const AS_OF_HEADER: HeaderName = HeaderName::from_static("x-daybook-as-of");

/// A report: its own parameters, and how it is computed.
pub(crate) trait Report: 'static {
    /// The report's name in metrics and in the names of exported files.
    const NAME: &'static str;
    type Parameters: DeserializeOwned + Send;
    type Body: Serialize + Send;

    /// Computes the report.
    fn answer(
        parameters: Self::Parameters,
        query: &Query,
    ) -> impl Future<Output = Result<Self::Body, ReportsError>> + Send;

    /// Finds the activities that are counted in one number of the report, in any order.
    fn explain(
        parameters: Self::Parameters,
        query: &Query,
        cell: &str,
    ) -> impl Future<Output = Result<Vec<StandingRow>, ReportsError>> + Send;
}

/// The body of a report or list, with the customer, the range and the moment that it is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer<B> {
    #[serde(flatten)]
    pub(crate) body: B,
    /// The customer whose activities these are.
    #[schema(value_type = uuid::Uuid)]
    customer_id: CustomerId,
    /// The time that it is about; not there where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    range: Option<Range>,
    /// The last event of the log that is in the answer.
    as_of: AsOf,
    /// How long the first event that is not in the reports has been waiting, in milliseconds.
    lag_ms: i64,
}

/// A range of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Range {
    /// Inclusive; not there where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from: Option<DateTime<Utc>>,
    /// Exclusive; not there where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    to: Option<DateTime<Utc>>,
    /// IANA name of the zone in which days, weeks and months begin.
    #[schema(example = "Europe/Berlin")]
    time_zone: &'static str,
}

/// A request for a report or a list.
pub(crate) struct Request {
    state: AppState,
    caller: Caller,
    headers: HeaderMap,
    /// What follows the question mark.
    pub(crate) query: String,
}

impl FromRequestParts<AppState> for Request {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { state: state.clone(), caller, headers: parts.headers.clone(), query })
    }
}

/// The range of a request without `range`, `from` and `to`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultRange {
    /// The last 30 days.
    Recent,
    /// All time.
    Everything,
}

/// A request whose common parameters are read and whose view is open.
pub(crate) struct OpenRequest<'a> {
    pub(crate) query: Query,
    pub(crate) common: Common,
    tag: EntityTag,
    is_in_time: bool,
    format: Format,
    request: &'a Request,
    began: Instant,
}

impl Request {
    /// Reads the common parameters, waits for `wait_for`, and opens the view. Returns the response 304 instead if the client
    /// already has the answer.
    pub(crate) async fn open(
        &self,
        common: Common,
        default_range: DefaultRange,
    ) -> Result<Result<OpenRequest<'_>, Response>, ReportsError> {
        let began = Instant::now();
        let principal = self.caller.require(Scope::Read)?;
        let zone = zone(common.time_zone.as_deref(), principal.time_zone)?;
        let limit = common.limit()?;
        let filter = common.filter()?;
        if common.wait_for.is_some_and(|position| position < 0) {
            return Err(Problem::parameter("wait_for", "must be a position: 0 or more").into());
        }
        let moment = RequestedMoment::parse(common.as_of.as_deref(), zone)?;
        let seen = look(&self.state, principal.customer_id, moment, common.wait_for).await?;
        let now = match moment {
            RequestedMoment::Now => Utc::now(),
            RequestedMoment::Time(time) => time,
            RequestedMoment::Position(_) => seen.view.as_of.time.unwrap_or_else(Utc::now),
        };
        let calendar = Calendar { zone, week_start: WEEK_START, now };
        let range = range(&common, &calendar, &seen.view, default_range)?;
        let format = Format::chosen(common.format, &self.headers);
        let tag = EntityTag::of(&seen.view, (&self.query, &range, format, principal.time_zone));
        if seen.is_in_time && tag.is_known(&self.headers) {
            return Ok(Err(tag.not_modified()));
        }
        let predicate = filter.resolve(&seen.view).await?;
        let query = Query { view: seen.view, range, predicate, limit, scanned: Arc::default() };
        Ok(Ok(OpenRequest { query, common, tag, is_in_time: seen.is_in_time, format, request: self, began }))
    }

    /// Responds with a report or, with `explain`, with the activities behind one of its numbers.
    pub(crate) async fn report<R: Report>(&self) -> Result<Response, ReportsError> {
        let (common, parameters) = read::<R::Parameters>(&self.query, &[])?;
        let opened = match self.open(common, DefaultRange::Recent).await? {
            Ok(opened) => opened,
            Err(known) => return Ok(known),
        };
        let response = match &opened.common.explain {
            None => {
                let body = R::answer(parameters, &opened.query).await?;
                opened.answer(R::NAME, body)?
            }
            Some(cell) => {
                let rows = R::explain(parameters, &opened.query, cell).await?;
                opened.behind(rows).await?
            }
        };
        opened.record(R::NAME);
        Ok(response)
    }
}

impl OpenRequest<'_> {
    pub(crate) fn limit(&self) -> usize {
        self.query.limit.unwrap_or(PAGE_ITEMS_DEFAULT.into())
    }

    /// The cursor, if the request is for a further page of activities.
    pub(crate) fn before(&self) -> Result<Option<Cursor>, ReportsError> {
        self.common.cursor.as_deref().map(Cursor::parse).transpose()
    }

    /// Writes the response in the format that was asked for.
    pub(crate) fn answer<B: Serialize>(&self, name: &str, body: B) -> Result<Response, ReportsError> {
        if self.format != Format::Json {
            let bytes = Table::of(&body)?.write(self.format)?;
            return Ok(self.file(name, Body::from(bytes)));
        }
        let answer = self.around(body);
        if self.is_in_time { Ok(self.tag.answer(answer)) } else { self.too_late(&answer) }
    }

    /// Lists the activities behind a number.
    async fn behind(&self, rows: Vec<StandingRow>) -> Result<Response, ReportsError> {
        let before = self.before()?;
        if self.format == Format::Json {
            let page = PageOfRows::of(rows, before, self.limit()).fill(&self.query).await?;
            return self.answer("activities", page);
        }
        let rows: Arc<[StandingRow]> = rows.into();
        Ok(self.export(before, move |_, before| {
            let rows = Arc::clone(&rows);
            async move { Ok(PageOfRows::of(rows.to_vec(), before, EXPORT_PAGE)) }
        }))
    }

    /// A page of the activities that pass the filters, or all of them as a file.
    pub(crate) async fn list(&self) -> Result<Response, ReportsError> {
        let before = self.before()?;
        if self.format == Format::Json || self.query.limit.is_some() {
            let page = PageOfRows::read(&self.query, before, self.limit()).await?;
            return self.answer("activities", page.fill(&self.query).await?);
        }
        Ok(self.export(
            before,
            |query, before| async move { PageOfRows::read(&query, before, EXPORT_PAGE).await },
        ))
    }

    /// Records the time and the scanned rows in the metrics.
    pub(crate) fn record(&self, name: &'static str) {
        metrics::histogram!("daybook_report_duration_seconds", "report" => name)
            .record(self.began.elapsed().as_secs_f64());
        metrics::counter!("daybook_report_rows_scanned_total", "report" => name)
            .increment(self.query.scanned.load(Ordering::Relaxed));
    }

    fn around<B>(&self, body: B) -> Answer<B> {
        let TimeRange { from, to, zone, .. } = self.query.range;
        // RFC 3339 has years up to 9999; a time beyond stands for a range without limit.
        let limit = |time: DateTime<Utc>| (1..=9_999).contains(&time.year()).then_some(time);
        let (from, to) = (limit(from), limit(to));
        Answer {
            body,
            customer_id: self.query.view.customer,
            range: from.or(to).is_some().then(|| Range { from, to, time_zone: zone.name() }),
            as_of: self.query.view.as_of,
            lag_ms: self.query.view.lag_ms,
        }
    }

    /// The response 504: the fields of a problem, and those of the answer as far as it goes.
    fn too_late(&self, answer: &impl Serialize) -> Result<Response, ReportsError> {
        let wanted = self.common.wait_for.unwrap_or(0);
        let detail = format!(
            "Position {wanted} has not come in time; the answer goes up to position {}. Ask again.",
            self.query.view.as_of.position
        );
        let problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, "not-yet-in-reports").with_detail(detail);
        let unwritable = |error: serde_json::Error| ReportsError::Internal(error.to_string());
        let mut all = serde_json::to_value(answer).map_err(unwritable)?;
        if let (Some(all), serde_json::Value::Object(problem)) =
            (all.as_object_mut(), serde_json::to_value(&problem).map_err(unwritable)?)
        {
            all.extend(problem);
        }
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        Ok((StatusCode::GATEWAY_TIMEOUT, kind, all.to_string()).into_response())
    }

    fn file(&self, name: &str, body: Body) -> Response {
        let status = if self.is_in_time { StatusCode::OK } else { StatusCode::GATEWAY_TIMEOUT };
        let disposition = format!("attachment; filename=\"{name}.{}\"", self.format.extension());
        let disposition =
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
        let mut response = (status, self.tag.headers(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.format.media_type()));
        headers.insert(CONTENT_DISPOSITION, disposition);
        headers.insert(AS_OF_HEADER, HeaderValue::from(self.query.view.as_of.position));
        response
    }

    /// Streams activities as a file, page by page. Each page opens a view of its own at the same position, so a long export
    /// keeps no transaction open, and has the same rows as one view would have.
    fn export<F>(
        &self,
        before: Option<Cursor>,
        rows: impl Fn(Arc<Query>, Option<Cursor>) -> F + Clone + Send + 'static,
    ) -> Response
    where
        F: Future<Output = Result<PageOfRows, ReportsError>> + Send,
    {
        let moment = Moment::Position(self.query.view.as_of.position);
        let (state, customer) = (self.request.state.clone(), self.query.view.customer);
        let (range, predicate) = (self.query.range, self.query.predicate.clone());
        let page = move |after: Option<Cursor>| {
            let (state, predicate, rows) = (state.clone(), predicate.clone(), rows.clone());
            async move {
                let view = View::open(&state, customer, moment).await?;
                let query = Arc::new(Query { view, range, predicate, limit: None, scanned: Arc::default() });
                let page = rows(Arc::clone(&query), after.or(before)).await?;
                let activities: Vec<Activity> = query.view.activities(&page.rows).await?;
                Ok((activities, page.next))
            }
        };
        self.file("activities", Body::from_stream(stream(self.format, page)))
    }
}

/// The time zone that was asked for, else the customer's own.
fn zone(asked: Option<&str>, own: Tz) -> Result<Tz, ReportsError> {
    let Some(asked) = asked else { return Ok(own) };
    let unknown =
        |_| ReportsError::parameter("time_zone", "must be the IANA name of a time zone, as Europe/Berlin");
    asked.parse().map_err(unknown)
}

fn range(
    common: &Common,
    calendar: &Calendar,
    view: &View,
    default_range: DefaultRange,
) -> Result<TimeRange, ReportsError> {
    let [from, to] = [common.from, common.to].map(|time| time.map(|time| time.instant(calendar.zone)));
    match (common.range, default_range) {
        (Some(_), _) if from.is_some() || to.is_some() => {
            Err(ReportsError::parameter("range", "cannot be given together with from or to"))
        }
        (Some(name), _) => {
            let time = |micros: i64| DateTime::from_timestamp_micros(micros);
            let all = view.times().and_then(|(first, last)| Some((time(first)?, time(last)?)));
            calendar.named(name, all)
        }
        (None, DefaultRange::Recent) => calendar.between(from, to),
        (None, DefaultRange::Everything) => calendar.open(from, to),
    }
}

//! Top: the values of a field that most activities have.

use chassis::PAGE_ITEMS_DEFAULT;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::activity::field;
use super::actor_set::ActorSet;
use super::groups::{ByGroup, Group, Grouping, Name, Named, Places, largest};
use super::query::Query;
use super::source::{RowTest, rows_where};
use crate::columns::{Field, Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Scan, StandingRow};

/// What is asked. `limit` says how many values.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Of which field: `type` (the default), `actor`, `value`, `properties.KEY`, `context.KEY` or `traits.KEY`.
    #[param(example = "properties.plan")]
    dimension: Option<String>,
}

/// The values of a field that most activities have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopBody)]
pub(crate) struct Body {
    /// The largest first, ties by name.
    items: Vec<Item>,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopItem)]
pub(crate) struct Item {
    /// The value; null for activities without one.
    #[schema(value_type = Value, required)]
    key: Name,
    /// How many activities have it.
    count: u64,
    /// How many different actors these have.
    actors: u64,
}

impl Parameters {
    fn fields(&self) -> Result<[Field; 1], ReportsError> {
        Ok([self.dimension.as_deref().map_or(Ok(Field::Type), |name| field("dimension", name))?])
    }
}

/// Computes the report.
///
/// # Errors
/// 422 for what cannot be asked; as [`Query::scan`].
pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    let fields = parameters.fields()?;
    let lines = match in_one_scan(&fields, query).await? {
        Some(lines) => lines,
        None => in_two_scans(&fields, query).await?,
    };
    let item = |(named, line): (Named, Line)| Item {
        key: named.name,
        count: line.count,
        actors: line.actors.count(),
    };
    Ok(Body { items: lines.into_iter().map(item).collect() })
}

/// None if there are too many values for it.
async fn in_one_scan(fields: &[Field], query: &Query) -> Result<Option<Vec<(Named, Line)>>, ReportsError> {
    let mut needs = Needs { actors: true, ..Needs::default() };
    let scan = EveryValue(Grouping::new(fields, &mut needs));
    let (_, partials) = query.scan(query.range.window(), &needs, scan).await?;
    let mut all = ByGroup::<Line>::default();
    for partial in partials {
        let Some(partial) = partial else { return Ok(None) };
        all.merge(partial, Line::merge);
    }
    let groups = all.into_groups();
    let counts = groups.iter().map(|(group, line)| (group.clone(), line.count)).collect();
    let named = largest_of(counts, query).await?;
    let places = Places::new(&named);
    let mut lines = vec![Line::default(); named.len() + 1];
    for (group, line) in groups {
        lines[places.of(&group) as usize] = line;
    }
    Ok(Some(named.into_iter().zip(lines).collect()))
}

async fn in_two_scans(fields: &[Field], query: &Query) -> Result<Vec<(Named, Line)>, ReportsError> {
    let named = named(fields, query).await?;
    let mut needs = Needs { actors: true, ..Needs::default() };
    let scan = Lines { grouping: Grouping::new(fields, &mut needs), places: Places::new(&named) };
    let (scan, partials) = query.scan(query.range.window(), &needs, scan).await?;
    let mut lines = scan.begin();
    for partial in partials {
        lines.iter_mut().zip(partial).for_each(|(line, other)| line.merge(other));
    }
    Ok(named.into_iter().zip(lines).collect())
}

/// `KEY`: the activities that have this value, written as JSON.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let fields = parameters.fields()?;
    let unknown = || ReportsError::parameter("explain", "must be a key of the report, as JSON");
    let key = Named::find(&query.view, &fields, cell).await?.ok_or_else(unknown)?;
    let mut needs = Needs::default();
    let choose = OfKey { grouping: Grouping::new(&fields, &mut needs), places: Places::new(&[key]) };
    let rows = rows_where(query, query.range.window(), needs, choose).await?;
    if rows.is_empty() { Err(unknown()) } else { Ok(rows) }
}

async fn named(fields: &[Field], query: &Query) -> Result<Vec<Named>, ReportsError> {
    let mut needs = Needs::default();
    let counts = Counts(Grouping::new(fields, &mut needs));
    let (_, partials) = query.scan(query.range.window(), &needs, counts).await?;
    let mut all = ByGroup::<u64>::default();
    for partial in partials {
        all.merge(partial, |count, other| *count += other);
    }
    largest_of(all.into_groups(), query).await
}

async fn largest_of(counts: Vec<(Group, u64)>, query: &Query) -> Result<Vec<Named>, ReportsError> {
    let limit = query.limit.unwrap_or(PAGE_ITEMS_DEFAULT.into());
    largest(&query.view, counts, limit, |one, other| other.cmp(one)).await
}

/// The numbers of one value.
#[derive(Clone, Default)]
struct Line {
    count: u64,
    actors: ActorSet,
}

impl Line {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.actors.merge(other.actors);
    }
}

/// The most values of a thread that have a set of actors each. Few in tests, so that they come to the other way too.
const VALUES_MAX: usize = if cfg!(test) { 3 } else { 256 };

/// The numbers of every value, if there are few.
struct EveryValue(Grouping);

impl Scan for EveryValue {
    /// None if there are too many.
    type Partial = Option<ByGroup<Line>>;

    fn begin(&self) -> Self::Partial {
        Some(ByGroup::default())
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        let Some(lines) = partial else { return };
        self.0.numbers(rows).each_of(
            (rows, rows.range.clone()),
            lines,
            |lines, group| if lines.gathered.len() > VALUES_MAX { 0 } else { lines.number(group) },
            |lines, row, number| {
                let line = &mut lines.gathered[number as usize];
                line.count += 1;
                line.actors.insert(rows.actors[row]);
            },
        );
        if lines.gathered.len() > VALUES_MAX {
            *partial = None;
        }
    }
}

/// The number of activities of each value.
struct Counts(Grouping);

impl Scan for Counts {
    type Partial = ByGroup<u64>;

    fn begin(&self) -> Self::Partial {
        ByGroup::default()
    }

    fn scan(&self, counts: &mut Self::Partial, rows: &Rows<'_>) {
        self.0.numbers(rows).each_of(
            (rows, rows.range.clone()),
            counts,
            ByGroup::number,
            |counts, _, number| counts.gathered[number as usize] += 1,
        );
    }
}

/// The numbers of the values that have a place.
struct Lines {
    grouping: Grouping,
    places: Places,
}

impl Scan for Lines {
    type Partial = Vec<Line>;

    fn begin(&self) -> Self::Partial {
        vec![Line::default(); self.places.other as usize]
    }

    fn scan(&self, lines: &mut Self::Partial, rows: &Rows<'_>) {
        self.grouping.numbers(rows).each_of(
            (rows, rows.range.clone()),
            lines,
            |_, group| self.places.of(&group),
            |lines, row, number| {
                if let Some(line) = lines.get_mut(number as usize) {
                    line.count += 1;
                    line.actors.insert(rows.actors[row]);
                }
            },
        );
    }
}

/// Chooses the rows of the first place.
struct OfKey {
    grouping: Grouping,
    places: Places,
}

impl RowTest for OfKey {
    fn choose(&self, rows: &Rows<'_>, take: impl FnMut(usize)) {
        self.places.choose(&self.grouping, rows, 0, take);
    }
}

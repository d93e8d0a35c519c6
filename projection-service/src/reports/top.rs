//! Top: the values of a field that most activities have.

use chassis::PAGE_ITEMS_DEFAULT;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::activity::field;
use super::actor_set::ActorSet;
use super::groups::{ByGroup, Grouping, Name, Named, Places, largest};
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
    let named = named(&fields, query).await?;
    let mut needs = Needs { actors: true, ..Needs::default() };
    let scan = Lines { grouping: Grouping::new(&fields, &mut needs), places: Places::new(&named) };
    let (scan, partials) = query.scan(query.range.window(), &needs, scan).await?;
    let mut lines = scan.begin();
    for partial in partials {
        for (line, (count, actors)) in lines.iter_mut().zip(partial) {
            line.0 += count;
            line.1.merge(actors);
        }
    }
    let item = |(named, (count, actors)): (Named, (u64, ActorSet))| Item {
        key: named.name,
        count,
        actors: actors.count(),
    };
    Ok(Body { items: named.into_iter().zip(lines).map(item).collect() })
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
    let limit = query.limit.unwrap_or(PAGE_ITEMS_DEFAULT.into());
    largest(&query.view, all.into_groups(), limit, |one, other| other.cmp(one)).await
}

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

struct Lines {
    grouping: Grouping,
    places: Places,
}

impl Scan for Lines {
    type Partial = Vec<(u64, ActorSet)>;

    fn begin(&self) -> Self::Partial {
        vec![(0, ActorSet::default()); self.places.other as usize]
    }

    fn scan(&self, lines: &mut Self::Partial, rows: &Rows<'_>) {
        self.grouping.numbers(rows).each_of(
            (rows, rows.range.clone()),
            lines,
            |_, group| self.places.of(&group),
            |lines, row, number| {
                if let Some((count, actors)) = lines.get_mut(number as usize) {
                    *count += 1;
                    actors.insert(rows.actors[row]);
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

//! Paths: what actors do after a type of activity, or before it, within a session.

mod count;
mod types;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::count::{Counts, Direction, FirstPositionsOf, PathsQuestion};
use self::types::Types;
use super::durations;
use super::matching::Matching;
use super::query::Query;
use super::sessions::{GAP_DEFAULT, GAP_MAX};
use super::source::{FirstPositions, Source, rows_where};
use super::steps::filter_of_text;
use super::units::window;
use crate::columns::Needs;
use crate::error::ReportsError;
use crate::view::StandingRow;

/// The most steps after or before the type that is asked for.
const DEPTH_MAX: usize = 5;
const DEPTH_DEFAULT: usize = 3;
/// The most types that are told for each depth, the most frequent ones.
const TYPES_MAX: usize = 100;

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// What follows is asked for: a type, or a JSON array of filters. Either this or `end`.
    #[param(example = "user.signed_up")]
    start: Option<String>,
    /// What precedes is asked for: a type, or a JSON array of filters.
    end: Option<String>,
    /// How far, 1 to 5; by default 3.
    #[param(minimum = 1, maximum = 5)]
    depth: Option<usize>,
    /// A session ends before a pause that is longer than this; by default `30m`, at most `7d`.
    gap: Option<String>,
}

/// Paths, merged step by step.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PathsBody)]
pub(crate) struct Body {
    /// By depth, the most frequent first and of equals by type; at most 100 of each depth.
    nodes: Vec<Node>,
    /// Between these nodes; by `from`, then the most frequent first.
    links: Vec<Link>,
}

/// A type at a distance from what was asked for.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PathsNode)]
pub(crate) struct Node {
    /// How many activities after or before it, in the order of the actor; 0 is what was asked for.
    depth: usize,
    /// The type.
    #[serde(rename = "type")]
    activity_type: String,
    /// How many activities in the range that match what was asked for have an activity of this type there.
    count: u64,
}

/// An activity of one node that is followed by one of another.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PathsLink)]
pub(crate) struct Link {
    /// The earlier one, by its place in `nodes`, from 0.
    from: usize,
    /// The later one.
    to: usize,
    /// How often.
    count: u64,
}

impl Parameters {
    async fn question(self, query: &Query) -> Result<PathsQuestion, ReportsError> {
        let (direction, name, text) = match (self.start, self.end) {
            (Some(text), None) => (Direction::After, "start", text),
            (None, Some(text)) => (Direction::Before, "end", text),
            _ => return Err(ReportsError::parameter("start", "must be given, or else end, but not both")),
        };
        let depth = self.depth.unwrap_or(DEPTH_DEFAULT);
        if !(1..=DEPTH_MAX).contains(&depth) {
            return Err(ReportsError::parameter("depth", format!("must be 1 to {DEPTH_MAX}")));
        }
        let gap = self.gap.as_deref().map_or(Ok(GAP_DEFAULT), |text| durations::parse("gap", text, GAP_MAX));
        Ok(PathsQuestion {
            matching: Matching::resolve(&filter_of_text(name, Some(&text))?, &query.view).await?,
            direction,
            range: window(&query.range),
            depth,
            gap: durations::micros(gap?),
        })
    }
}

pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    compute(query, parameters.question(query).await?).await
}

/// `DEPTH,TYPE`, the activities of a node; or `FROM>TO`, the places of two nodes: the activities at the end of the link that
/// is farther from what was asked for.
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    behind(query, parameters.question(query).await?, cell).await
}

async fn compute(source: &impl Source, question: PathsQuestion) -> Result<Body, ReportsError> {
    let direction = question.direction;
    let (_, types, counts) = count::paths(source, question, Types::default(), Counts::default()).await?;
    Ok(body(direction, &types, &counts))
}

/// The largest nodes, and the links between them.
fn body(direction: Direction, types: &Types, counts: &Counts) -> Body {
    let names = types.names();
    let mut nodes: Vec<(usize, u32, u64)> = counts.nodes().collect();
    nodes.retain(|(_, code, _)| names.contains_key(code));
    nodes.sort_unstable_by_key(|(depth, code, count)| (*depth, u64::MAX - count, &names[code]));
    let mut kept = 0;
    let mut depth_before = 0;
    nodes.retain(|(depth, ..)| {
        kept = if *depth == depth_before { kept + 1 } else { 1 };
        depth_before = *depth;
        kept <= TYPES_MAX
    });
    let place = |wanted: (usize, u32)| nodes.iter().position(|(depth, code, _)| (*depth, *code) == wanted);
    let link = |(depth, near, far, count): (usize, u32, u32, u64)| {
        let (near, far) = (place((depth - 1, near))?, place((depth, far))?);
        let (from, to) = if direction == Direction::After { (near, far) } else { (far, near) };
        Some(Link { from, to, count })
    };
    let mut links: Vec<Link> = counts.links().filter_map(link).collect();
    links.sort_unstable_by_key(|link| (link.from, u64::MAX - link.count, link.to));
    let node =
        |(depth, code, count): (usize, u32, u64)| Node { depth, activity_type: names[&code].clone(), count };
    Body { nodes: nodes.iter().copied().map(node).collect(), links }
}

async fn behind(
    source: &impl Source,
    question: PathsQuestion,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let unknown = || {
        ReportsError::parameter("explain", "must be a node, as 1,page.viewed, or a link between two, as 0>3")
    };
    let window = question.window();
    let (question, types, wanted) = if let Some((depth, activity_type)) = cell.split_once(',') {
        let depth: usize = depth.parse().map_err(|_| unknown())?;
        let types = Types::default();
        let wanted = FirstPositionsOf::node(depth, types.code(activity_type));
        (question, types, wanted)
    } else {
        let (from, to) = cell.split_once('>').ok_or_else(unknown)?;
        let place = |text: &str| text.parse::<usize>().map_err(|_| unknown());
        let (from, to) = (place(from)?, place(to)?);
        let direction = question.direction;
        let (question, types, counts) =
            count::paths(source, question, Types::default(), Counts::default()).await?;
        let body = body(direction, &types, &counts);
        let (near, far) = if direction == Direction::After { (from, to) } else { (to, from) };
        let node = |place: usize| body.nodes.get(place).ok_or_else(unknown);
        let (near, far) = (node(near)?, node(far)?);
        if near.depth + 1 != far.depth {
            return Err(unknown());
        }
        let codes = (types.code(&near.activity_type), types.code(&far.activity_type));
        (question, types, FirstPositionsOf::link(far.depth, codes.0, codes.1))
    };
    if wanted.depth() > question.depth {
        return Err(unknown());
    }
    let (_, _, found) = count::paths(source, question, types, wanted).await?;
    rows_where(source, window, Needs::default(), FirstPositions::new(found.positions)).await
}

#[cfg(test)]
mod tests;

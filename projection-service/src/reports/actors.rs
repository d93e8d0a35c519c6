//! Actors: who was there, when first and last, and how often.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::Problem;
use chrono::{DateTime, Utc};
use domain::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::Query;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::Scan;

/// Which actors.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Only actors with a name that has this in it, be it one that was merged; upper and lower case are the same.
    #[param(example = "ada")]
    q: Option<String>,
}

/// A page of actors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActorPage {
    /// In the order of their names.
    items: Vec<Actor>,
    /// For the next page; null if this is the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// An actor, with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownActor {
    /// Its name, whichever of its names was asked for.
    #[serde(rename = "actor")]
    #[schema(example = "ada")]
    name: String,
    /// How many activities it has, under any of its names.
    count: u64,
    /// When its first one happened; null without any.
    #[schema(required)]
    first_seen: Option<DateTime<Utc>>,
    /// When its last one happened; null without any.
    #[schema(required)]
    last_seen: Option<DateTime<Utc>>,
    /// What is known of it, under any of its names; where several have a trait, its own counts, then the latest.
    #[schema(value_type = Object)]
    traits: Json,
    /// Other names that mean it, the latest first, at most 1,000.
    merged: Vec<MergedName>,
}

/// Another name of an actor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MergedName {
    /// The name.
    #[schema(example = "anonymous-7")]
    name: String,
    /// Since when it means the actor.
    since: DateTime<Utc>,
    /// Position of the event since which it does.
    position: i64,
}

/// An actor, as its activities show it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// Its name.
    #[serde(rename = "actor")]
    #[schema(example = "ada")]
    name: String,
    /// How many activities it has.
    count: u64,
    /// When its first one happened.
    first_seen: DateTime<Utc>,
    /// When its last one happened.
    last_seen: DateTime<Utc>,
}

/// A page of actors that have an activity.
///
/// # Errors
/// 400 for a cursor that is none; as [`Query::scan`].
pub(crate) async fn page(
    parameters: Parameters,
    query: &Query,
    cursor: Option<&str>,
    limit: usize,
) -> Result<ActorPage, ReportsError> {
    let after = cursor.map(name_of_cursor).transpose()?;
    let mut named = matching(query, parameters.q.as_deref().unwrap_or_default(), after.as_deref()).await?;
    named.sort_unstable();
    let ordinals: Vec<u32> = named.iter().map(|(_, ordinal)| *ordinal).collect();
    let seen = seen(query, &ordinals).await?;
    let mut items: Vec<Actor> = named
        .into_iter()
        .filter_map(|(name, ordinal)| seen.get(ordinal as usize)?.actor(name))
        .take(limit + 1)
        .collect();
    let next_cursor = chassis::cut_page(&mut items, limit).map(|last| URL_SAFE_NO_PAD.encode(&last.name));
    Ok(ActorPage { items, next_cursor })
}

/// One actor, by any of its names.
///
/// # Errors
/// 404 if it has no activity, no trait and no other name; as [`Query::scan`].
pub(crate) async fn one(query: &Query, name: &str) -> Result<KnownActor, ReportsError> {
    let missing = || {
        let problem = Problem::not_found("actor-not-found");
        ReportsError::Caller(
            problem.with_detail("No activity that stands is of this actor, and nothing else is known of it."),
        )
    };
    let ordinals = query.view.actor_ordinals(&[name.to_owned()]).await?;
    let ordinal = query.view.actor_of(*ordinals.get(name).ok_or_else(missing)?);
    let seen = seen(query, &[ordinal]).await?.get(ordinal as usize).copied().unwrap_or(Seen::NEVER);
    let merged = merged_names(query, ordinal).await?;
    let traits = query.view.traits_of(ordinal).await?;
    if seen.count == 0 && merged.is_empty() && traits.as_str() == "{}" {
        return Err(missing());
    }
    let name = query.view.actor_names(&[ordinal]).await?.remove(&ordinal).ok_or_else(missing)?;
    let time = |micros: i64| DateTime::from_timestamp_micros(micros).filter(|_| seen.count > 0);
    let (first_seen, last_seen) = (time(seen.first), time(seen.last));
    Ok(KnownActor { name, count: seen.count, first_seen, last_seen, traits, merged })
}

/// The most names of one actor that are shown.
const MERGED_NAMES_MAX: usize = 1_000;

async fn merged_names(query: &Query, actor: u32) -> Result<Vec<MergedName>, ReportsError> {
    let mut aliases = query.view.aliases(actor);
    aliases.sort_unstable_by_key(|(alias, position)| (std::cmp::Reverse(*position), *alias));
    aliases.truncate(MERGED_NAMES_MAX);
    let (ordinals, positions): (Vec<u32>, Vec<i64>) = aliases.iter().copied().unzip();
    let names = query.view.actor_names(&ordinals).await?;
    let times = query.view.recorded_at(&positions).await?;
    let merged_name = |(alias, position): &(u32, i64)| {
        Some(MergedName {
            name: names.get(alias)?.clone(),
            since: *times.get(position)?,
            position: *position,
        })
    };
    let mut merged: Vec<MergedName> = aliases.iter().filter_map(merged_name).collect();
    merged.sort_by(|one, other| (other.position, &one.name).cmp(&(one.position, &other.name)));
    Ok(merged)
}

fn name_of_cursor(cursor: &str) -> Result<String, ReportsError> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| {
        ReportsError::Caller(Problem::parameter("cursor", "must be the next_cursor of a page"))
    })
}

/// The actors with a name that has a part in it, of those whose own name comes after another one; with their ordinals.
async fn matching(
    query: &Query,
    part: &str,
    after: Option<&str>,
) -> Result<Vec<(String, u32)>, ReportsError> {
    let part = part.to_lowercase();
    let names = std::sync::Arc::new(Mutex::new(Vec::new()));
    let found = std::sync::Arc::clone(&names);
    let test = move |name: &str| {
        let passes = part.is_empty() || name.to_lowercase().contains(&part);
        if passes {
            found.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
        }
        passes
    };
    let ordinals = query.view.actors_where(test).await?;
    let names = std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
    let mut by_own: HashMap<u32, String> = HashMap::new();
    let mut by_alias: HashSet<u32> = HashSet::new();
    for (name, ordinal) in names.into_iter().zip(ordinals) {
        let actor = query.view.actor_of(ordinal);
        if actor == ordinal {
            by_own.insert(actor, name);
        } else {
            by_alias.insert(actor);
        }
    }
    by_alias.retain(|actor| !by_own.contains_key(actor));
    if !by_alias.is_empty() {
        by_own.extend(query.view.actor_names(&by_alias.into_iter().collect::<Vec<_>>()).await?);
    }
    let later = |(_, name): &(u32, String)| after.is_none_or(|after| name.as_str() > after);
    Ok(by_own.into_iter().filter(later).map(|(ordinal, name)| (name, ordinal)).collect())
}

/// The count and the first and last time of each actor, by ordinal.
async fn seen(query: &Query, ordinals: &[u32]) -> Result<Vec<Seen>, ReportsError> {
    let length = ordinals.iter().max().map_or(0, |greatest| *greatest as usize + 1);
    let mut is_wanted = vec![false; length];
    for ordinal in ordinals {
        is_wanted[*ordinal as usize] = true;
    }
    let needs = Needs { actors: true, ..Needs::default() };
    let (scan, partials) = query.scan(query.range.window(), &needs, SeenOf(is_wanted)).await?;
    let mut all = scan.begin();
    for partial in partials {
        all.iter_mut().zip(partial).for_each(|(seen, other)| seen.merge(other));
    }
    Ok(all)
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    count: u64,
    first: i64,
    last: i64,
}

impl Seen {
    const NEVER: Self = Self { count: 0, first: i64::MAX, last: i64::MIN };

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    fn actor(&self, name: String) -> Option<Actor> {
        let Self { count, first, last } = *self;
        if count == 0 {
            return None;
        }
        let [first_seen, last_seen] = [first, last].map(DateTime::from_timestamp_micros);
        Some(Actor { name, count, first_seen: first_seen?, last_seen: last_seen? })
    }
}

struct SeenOf(Vec<bool>);

impl Scan for SeenOf {
    type Partial = Vec<Seen>;

    fn begin(&self) -> Self::Partial {
        vec![Seen::NEVER; self.0.len()]
    }

    fn scan(&self, all: &mut Self::Partial, rows: &Rows<'_>) {
        rows.each(|row| {
            let ordinal = rows.actors[row] as usize;
            if self.0.get(ordinal).is_some_and(|is_wanted| *is_wanted) {
                let time = rows.times.get(row);
                all[ordinal].merge(Seen { count: 1, first: time, last: time });
            }
        });
    }
}

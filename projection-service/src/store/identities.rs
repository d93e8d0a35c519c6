use domain::actor::{ActorDescribed, ActorEvent};
use domain::identity::{ActorsMerged, IdentityEvent, MergeReverted};
use event_store::EventRef;
use sqlx::PgConnection;
use uuid::Uuid;

use super::GenerationPartition;
use super::batch::FoldError;

/// An event about the names of actors, or about what is known of one.
pub(crate) struct ActorChange {
    pub(super) position: i64,
    pub(super) customer_id: Uuid,
    pub(super) what: What,
}

/// What it says.
pub(super) enum What {
    Described(ActorDescribed),
    Identity(IdentityEvent),
}

impl ActorChange {
    /// Reads a stored event of any version; none if it belongs to another aggregate.
    ///
    /// # Errors
    /// [`FoldError`] for what cannot be read.
    pub(crate) fn decode(recorded: &EventRef<'_>) -> Result<Option<Self>, FoldError> {
        let what = match recorded.aggregate_type {
            "actor" => {
                let ActorEvent::ActorDescribed(described) = recorded.decode()?;
                What::Described(described)
            }
            "identities" => What::Identity(recorded.decode()?),
            _ => return Ok(None),
        };
        Ok(Some(Self { position: recorded.position, customer_id: recorded.customer_id.0, what }))
    }

    /// The names that it has.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let (actor, alias) = match &self.what {
            What::Described(described) => (&described.actor, None),
            What::Identity(
                IdentityEvent::ActorsMerged(ActorsMerged { actor, alias })
                | IdentityEvent::MergeReverted(MergeReverted { actor, alias }),
            ) => (actor, Some(alias)),
        };
        std::iter::once(actor).chain(alias).map(String::as_str)
    }
}

/// A row of `merges`. The names are numbers of a batch at first, and then ordinals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merge {
    pub(super) position: i64,
    pub(super) alias: u32,
    pub(super) actor: u32,
    pub(super) is_merged: bool,
}

/// A row of `descriptions`, likewise.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) position: i64,
    pub(super) actor: u32,
    pub(super) traits: String,
}

/// Writes merges of customers.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn insert_merges(
    connection: &mut PgConnection,
    place: GenerationPartition,
    merges: &[(Uuid, Merge)],
) -> Result<(), sqlx::Error> {
    if merges.is_empty() {
        return Ok(());
    }
    let column =
        |of: fn(&Merge) -> u32| -> Vec<i32> { merges.iter().map(|(_, merge)| of(merge) as i32).collect() };
    sqlx::query!(
        "INSERT INTO merges (generation, customer_id, position, alias, actor, is_merged)
         SELECT $1, k.customer_id, k.position, k.alias, k.actor, k.is_merged
           FROM unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::boolean[])
                AS k (customer_id, position, alias, actor, is_merged)",
        place.generation,
        &merges.iter().map(|(customer, _)| *customer).collect::<Vec<_>>(),
        &merges.iter().map(|(_, merge)| merge.position).collect::<Vec<_>>(),
        &column(|merge| merge.alias),
        &column(|merge| merge.actor),
        &merges.iter().map(|(_, merge)| merge.is_merged).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes descriptions of customers' actors.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn insert_descriptions(
    connection: &mut PgConnection,
    place: GenerationPartition,
    descriptions: &[(Uuid, Description)],
) -> Result<(), sqlx::Error> {
    if descriptions.is_empty() {
        return Ok(());
    }
    let customers: Vec<Uuid> = descriptions.iter().map(|(customer, _)| *customer).collect();
    sqlx::query!(
        "INSERT INTO descriptions (generation, customer_id, actor, position, traits)
         SELECT $1, k.customer_id, k.actor, k.position, k.traits
           FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::text[]) AS k (customer_id, actor, position, traits)",
        place.generation,
        &customers,
        &descriptions.iter().map(|(_, one)| one.actor as i32).collect::<Vec<_>>(),
        &descriptions.iter().map(|(_, one)| one.position).collect::<Vec<_>>(),
        &descriptions.iter().map(|(_, one)| one.traits.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE stores s SET descriptions = s.descriptions + k.count
           FROM (SELECT customer_id, count(*) AS count FROM unnest($2::uuid[]) AS u (customer_id) GROUP BY 1) AS k
          WHERE s.generation = $1 AND s.customer_id = k.customer_id",
        place.generation,
        &customers,
    )
    .execute(connection)
    .await?;
    Ok(())
}

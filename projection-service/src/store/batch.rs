use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::activity::{ActivityContent, ActivityEvent};
use domain::identity::IdentityEvent;
use domain::{ActivityId, DecodeError};
use event_store::EventRef;
use sqlx::PgConnection;
use uuid::Uuid;

use super::actors::{self, ActorOrdinals, NewActors};
use super::deltas::{self, Counts};
use super::identities::{self, ActorChange, Description, Merge, What};
use super::{GenerationPartition, Sizes, ends, seal};
use crate::columns::{RowSet, Texts, flatten};
use crate::error::FlushError;

/// An event that the read model takes in.
pub(crate) struct Event<'a> {
    pub(crate) position: i64,
    pub(crate) customer_id: Uuid,
    /// The id of its stream.
    pub(crate) stream: &'a str,
    pub(crate) activity: ActivityEvent,
}

/// Why an event cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    /// The payload cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The event belongs to another aggregate than an activity.
    #[error("an event of the aggregate type {0}, which no projection folds")]
    AggregateType(String),
    /// Its stream's id does not end in an activity's id.
    #[error("the stream {0} is not named after an activity")]
    Stream(String),
    /// There is no row that it could end.
    #[error("an activity that was never recorded is to be {0}")]
    NeverRecorded(&'static str),
    /// PostgreSQL's text holds no NUL.
    #[error("its {0} has the character NUL")]
    Nul(&'static str),
    /// The activity was recorded before.
    #[error("an activity that was recorded before is to be recorded")]
    RecordedTwice,
}

impl<'a> Event<'a> {
    /// Reads a stored event of any version.
    ///
    /// # Errors
    /// [`FoldError`] for what is no event of an activity.
    pub(crate) fn decode(recorded: &EventRef<'a>) -> Result<Self, FoldError> {
        if recorded.aggregate_type != "activity" {
            return Err(FoldError::AggregateType(recorded.aggregate_type.to_owned()));
        }
        if ActivityId::of_stream(recorded.aggregate_id).is_none() {
            return Err(FoldError::Stream(recorded.aggregate_id.to_owned()));
        }
        Ok(Self {
            position: recorded.position,
            customer_id: recorded.customer_id.0,
            stream: recorded.aggregate_id,
            activity: recorded.decode()?,
        })
    }

    /// The state of the activity after this event; none if it is redacted.
    fn after(&self) -> Option<&ActivityContent> {
        match &self.activity {
            ActivityEvent::ActivityRecorded(content) => Some(content),
            ActivityEvent::ActivityCorrected(corrected) => Some(&corrected.after),
            ActivityEvent::ActivityRedacted(_) => None,
        }
    }

    /// Whether it changes an activity that was recorded before.
    pub(crate) fn changes_a_row(&self) -> bool {
        !matches!(self.activity, ActivityEvent::ActivityRecorded(_))
    }
}

/// The row of an activity that stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prior {
    /// Of the event that made it.
    pub(crate) position: i64,
    /// Of the event that first recorded the activity.
    pub(crate) first_position: i64,
}

/// Events of one partition, folded in memory.
pub(crate) struct Batch<'a> {
    customers: BTreeMap<Uuid, CustomerBatch>,
    /// The rows of those activities that the batch changes, as far as it has come.
    prior: HashMap<&'a str, Prior>,
    /// The activities that the batch changes.
    changed: HashSet<&'a str>,
}

#[derive(Default)]
struct CustomerBatch {
    rows: RowSet,
    /// In the order in which they appear; a row has the number of its actor.
    actors: Texts,
    /// Positions of rows that end, and where.
    ends: Vec<(i64, i64)>,
    merges: Vec<Merge>,
    descriptions: Vec<Description>,
}

impl CustomerBatch {
    /// Takes in what an event says about actors, whether or not these have activities.
    fn push_change(&mut self, position: i64, what: &What) {
        let mut merge = |alias: &str, actor: &str, is_merged| {
            let (actor, alias) = (self.actors.number(actor), self.actors.number(alias));
            self.merges.push(Merge { position, alias, actor, is_merged });
        };
        match what {
            What::Identity(IdentityEvent::ActorsMerged(merged)) => merge(&merged.alias, &merged.actor, true),
            What::Identity(IdentityEvent::MergeReverted(reverted)) => {
                merge(&reverted.alias, &reverted.actor, false);
            }
            What::Described(described) => {
                let actor = self.actors.number(&described.actor);
                let traits = described.traits.as_str().to_owned();
                self.descriptions.push(Description { position, actor, traits });
            }
        }
    }

    /// Replaces the numbers of actors by their ordinals.
    fn renumber(&mut self, ordinals: &[Option<u32>]) {
        let ordinal = |number: u32| ordinals[number as usize].unwrap_or_default();
        self.rows.renumber_actors(ordinal);
        for merge in &mut self.merges {
            (merge.alias, merge.actor) = (ordinal(merge.alias), ordinal(merge.actor));
        }
        self.descriptions.iter_mut().for_each(|description| description.actor = ordinal(description.actor));
    }

    fn push(&mut self, position: i64, first_position: i64, content: &ActivityContent) {
        let actor = self.actors.number(&content.actor);
        let time = microseconds(content.occurred_at);
        self.rows.push(
            position,
            first_position,
            time,
            actor,
            &content.activity_type,
            content.value,
            |field| {
                for (prefix, object) in [("properties.", &content.properties), ("context.", &content.context)]
                {
                    if let Some(object) = object {
                        flatten(&object.0, &mut prefix.to_owned(), field);
                    }
                }
            },
        );
    }
}

fn microseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

impl<'a> Batch<'a> {
    /// An empty batch. `changed` are the streams whose activities it will change, `prior` the rows that they have now.
    pub(crate) fn new(changed: HashSet<&'a str>, prior: HashMap<&'a str, Prior>) -> Self {
        Self { customers: BTreeMap::new(), prior, changed }
    }

    /// Folds one event.
    ///
    /// # Errors
    /// [`FoldError`], with nothing of this event folded; it then becomes a dead letter.
    pub(crate) fn fold(&mut self, event: &Event<'a>) -> Result<(), FoldError> {
        let (position, stream) = (event.position, event.stream);
        for (name, text) in event
            .after()
            .iter()
            .flat_map(|content| [("type", &content.activity_type), ("actor", &content.actor)])
        {
            if text.contains('\0') {
                return Err(FoldError::Nul(name));
            }
        }
        let standing = |done| self.prior.get(stream).copied().ok_or(FoldError::NeverRecorded(done));
        match &event.activity {
            ActivityEvent::ActivityRecorded(content) => {
                if self.changed.contains(stream) {
                    let first = Prior { position, first_position: position };
                    if self.prior.insert(stream, first).is_some() {
                        return Err(FoldError::RecordedTwice);
                    }
                }
                self.customers.entry(event.customer_id).or_default().push(position, position, content);
            }
            ActivityEvent::ActivityCorrected(corrected) => {
                let prior = standing("corrected")?;
                self.prior.insert(stream, Prior { position, ..prior });
                let customer = self.customers.entry(event.customer_id).or_default();
                customer.ends.push((prior.position, position));
                customer.push(position, prior.first_position, &corrected.after);
            }
            ActivityEvent::ActivityRedacted(_) => {
                let prior = standing("redacted")?;
                self.prior.remove(stream);
                self.customers.entry(event.customer_id).or_default().ends.push((prior.position, position));
            }
        }
        Ok(())
    }

    /// Folds an event about actors.
    ///
    /// # Errors
    /// As [`Self::fold`].
    pub(crate) fn fold_change(&mut self, change: &ActorChange) -> Result<(), FoldError> {
        if change.names().any(|name| name.contains('\0')) {
            return Err(FoldError::Nul("actor"));
        }
        let customer = self.customers.entry(change.customer_id).or_default();
        customer.push_change(change.position, &change.what);
        Ok(())
    }

    /// Writes the batch with set-based SQL. Returns the ordinals that it gave, to be remembered once they are committed.
    ///
    /// # Errors
    /// [`FlushError`]; the transaction is then given up.
    pub(crate) async fn flush(
        self,
        connection: &mut PgConnection,
        place: GenerationPartition,
        kept: &ActorOrdinals,
        sizes: Sizes,
    ) -> Result<Vec<(Uuid, u32)>, FlushError> {
        if self.customers.is_empty() {
            return Ok(Vec::new());
        }
        let mut customers: Vec<(Uuid, CustomerBatch)> = self.customers.into_iter().collect();
        let keys: Vec<Uuid> = customers
            .iter()
            .flat_map(|(customer, batch)| batch.actors.iter().map(|actor| actors::key(*customer, actor)))
            .collect();
        let mut ordinals = actors::find(connection, kept, place.generation, &keys).await?;
        let added = added(&customers, &ordinals);
        let stores = deltas::add(connection, place, &added).await?;
        let given = give_ordinals(connection, place, &customers, &keys, &mut ordinals, &stores).await?;
        let mut offset = 0;
        for (_, batch) in &mut customers {
            batch.renumber(&ordinals[offset..offset + batch.actors.len()]);
            offset += batch.actors.len();
        }
        write_changes(connection, place, &mut customers).await?;
        let new_ends: Vec<(Uuid, &[(i64, i64)])> =
            customers.iter().map(|(customer, batch)| (*customer, batch.ends.as_slice())).collect();
        ends::insert(connection, place, &new_ends).await?;
        let mut small = Vec::new();
        for ((customer, batch), store) in customers.into_iter().zip(&stores) {
            if store.delta_rows as usize >= sizes.segment_rows {
                seal::seal(connection, place, customer, batch.rows, sizes).await?;
            } else if !batch.rows.is_empty() {
                small.push((customer, batch.rows));
            }
        }
        deltas::insert(connection, place, 0, &small).await?;
        let full = stores.iter().filter(|store| {
            store.small_deltas >= sizes.deltas && (store.delta_rows as usize) < sizes.segment_rows
        });
        for store in full {
            deltas::compact(connection, place, store.customer_id, sizes).await?;
        }
        Ok(given)
    }
}

/// Writes what the batch says about actors.
async fn write_changes(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customers: &mut [(Uuid, CustomerBatch)],
) -> Result<(), sqlx::Error> {
    let (mut merges, mut descriptions) = (Vec::new(), Vec::new());
    for (customer, batch) in customers {
        merges.extend(batch.merges.drain(..).map(|merge| (*customer, merge)));
        descriptions.extend(batch.descriptions.drain(..).map(|description| (*customer, description)));
    }
    identities::insert_merges(&mut *connection, place, &merges).await?;
    identities::insert_descriptions(connection, place, &descriptions).await
}

/// The rows and ends that the batch adds to each customer.
fn added(customers: &[(Uuid, CustomerBatch)], ordinals: &[Option<u32>]) -> Vec<Counts> {
    let mut offset = 0;
    let mut added = Vec::with_capacity(customers.len());
    for (customer, batch) in customers {
        let own = &ordinals[offset..offset + batch.actors.len()];
        offset += batch.actors.len();
        added.push(Counts {
            customer_id: *customer,
            actors: own.iter().filter(|ordinal| ordinal.is_none()).count() as i32,
            delta_rows: batch.rows.len() as i32,
            small_deltas: i32::from(!batch.rows.is_empty()),
            ends: batch.ends.len() as i32,
        });
    }
    added
}

/// Gives new actors the next ordinals, in the order in which they appear.
async fn give_ordinals(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customers: &[(Uuid, CustomerBatch)],
    keys: &[Uuid],
    ordinals: &mut [Option<u32>],
    stores: &[Counts],
) -> Result<Vec<(Uuid, u32)>, sqlx::Error> {
    let mut new = NewActors::default();
    let mut offset = 0;
    for ((customer, batch), store) in customers.iter().zip(stores) {
        let own = &mut ordinals[offset..offset + batch.actors.len()];
        let first = store.actors - own.iter().filter(|ordinal| ordinal.is_none()).count() as i32;
        let unknown = own.iter_mut().enumerate().filter(|(_, ordinal)| ordinal.is_none());
        for ((index, ordinal), next) in unknown.zip(first..) {
            *ordinal = Some(next as u32);
            new.keys.push(keys[offset + index]);
            new.customers.push(*customer);
            new.ordinals.push(next);
            new.names.push(batch.actors.get(index as u32));
        }
        offset += batch.actors.len();
    }
    new.insert(connection, place.generation).await?;
    Ok(new.keys.iter().copied().zip(new.ordinals.iter().map(|ordinal| *ordinal as u32)).collect())
}

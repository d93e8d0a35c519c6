use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// Ordinals of actors that were looked up lately. What is in it never changes: an ordinal is given once.
#[derive(Default)]
pub(crate) struct ActorOrdinals(Mutex<HashMap<(i32, Uuid), u32, foldhash::fast::RandomState>>);

/// Ordinals kept in memory, at about 40 bytes each; when there are more, all are forgotten.
const KEPT_MAX: usize = 500_000;

impl ActorOrdinals {
    fn find(&self, generation: i32, keys: &[Uuid]) -> Vec<Option<u32>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| known.get(&(generation, *key)).copied()).collect()
    }

    /// Remembers ordinals that are committed.
    pub(crate) fn learn(&self, generation: i32, ordinals: impl ExactSizeIterator<Item = (Uuid, u32)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + ordinals.len() > KEPT_MAX {
            known.clear();
        }
        known.extend(ordinals.map(|(key, ordinal)| ((generation, key), ordinal)));
    }
}

/// The key of an actor of a customer: 128 bits of SHA-256.
pub(crate) fn key(customer: Uuid, actor: &str) -> Uuid {
    let digest = Sha256::new().chain_update(customer.as_bytes()).chain_update(actor).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

/// The ordinals of these actors; none for those that have none yet.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn find(
    connection: &mut PgConnection,
    kept: &ActorOrdinals,
    generation: i32,
    keys: &[Uuid],
) -> Result<Vec<Option<u32>>, sqlx::Error> {
    let mut ordinals = kept.find(generation, keys);
    let missing: Vec<(usize, Uuid)> =
        keys.iter().copied().enumerate().filter(|(index, _)| ordinals[*index].is_none()).collect();
    if missing.is_empty() {
        return Ok(ordinals);
    }
    let asked: Vec<Uuid> = missing.iter().map(|(_, key)| *key).collect();
    let rows = sqlx::query!(
        r#"SELECT k.number AS "number!", a.ordinal
             FROM unnest($2::uuid[]) WITH ORDINALITY AS k (key, number)
            CROSS JOIN LATERAL (SELECT ordinal FROM actors WHERE generation = $1 AND key = k.key LIMIT 1) AS a"#,
        generation,
        &asked,
    )
    .fetch_all(connection)
    .await?;
    for row in &rows {
        ordinals[missing[row.number as usize - 1].0] = Some(row.ordinal as u32);
    }
    let found = rows.iter().map(|row| (asked[row.number as usize - 1], row.ordinal as u32));
    kept.learn(generation, found.collect::<Vec<_>>().into_iter());
    Ok(ordinals)
}

/// Actors that are new, with the ordinals that they get.
#[derive(Default)]
pub(super) struct NewActors<'a> {
    pub(super) keys: Vec<Uuid>,
    pub(super) customers: Vec<Uuid>,
    pub(super) ordinals: Vec<i32>,
    pub(super) names: Vec<&'a str>,
}

impl NewActors<'_> {
    /// # Errors
    /// An error if the database fails.
    pub(super) async fn insert(
        &self,
        connection: &mut PgConnection,
        generation: i32,
    ) -> Result<(), sqlx::Error> {
        if self.keys.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO actors (generation, key, customer_id, ordinal, actor)
             SELECT $1, k.key, k.customer_id, k.ordinal, k.actor
               FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[]) AS k (key, customer_id, ordinal, actor)",
            generation,
            &self.keys,
            &self.customers,
            &self.ordinals,
            &self.names as &[&str],
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

//! Which relay publishes which partitions: advisory locks elect one for each, and spread them evenly over the processes.

use std::collections::BTreeSet;

use event_store::advisory_locks;

use super::position::log_stopped;
use super::{Held, Relay, position};
use crate::BusError;

impl Relay {
    /// Takes free partitions up to a fair share of all, and gives up what it has beyond it. Nothing is being published
    /// meanwhile.
    pub(super) async fn elect(&self, held: &mut Held) -> Result<(), BusError> {
        let relays = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM pg_locks
                WHERE locktype = 'advisory' AND classid::bigint = $1 AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#,
            i64::from(advisory_locks::RELAY_PRESENCE),
        )
        .fetch_one(&mut held.connection)
        .await?;
        let share = usize::from(self.log.partitions().count()).div_ceil(relays.max(1) as usize);
        if held.positions.len() > share {
            let excess: Vec<i32> =
                held.positions.keys().skip(share).map(|partition| i32::from(partition.0)).collect();
            sqlx::query!(
                "SELECT pg_advisory_unlock($1, p) FROM unnest($2::int[]) AS p",
                advisory_locks::RELAY,
                &excess
            )
            .fetch_all(&mut held.connection)
            .await?;
            held.positions.retain(|partition, _| !excess.contains(&i32::from(partition.0)));
            return Ok(());
        }
        let free: Vec<i32> = self
            .log
            .partitions()
            .all()
            .filter(|partition| !held.positions.contains_key(partition))
            .map(|partition| i32::from(partition.0))
            .collect();
        let wanted = share - held.positions.len();
        if free.is_empty() || wanted == 0 {
            return Ok(());
        }
        let taken = sqlx::query_scalar!(
            r#"SELECT p AS "partition!" FROM unnest($1::int[]) AS p WHERE pg_try_advisory_lock($2, p) LIMIT $3"#,
            &free,
            advisory_locks::RELAY,
            wanted as i64,
        )
        .fetch_all(&mut held.connection)
        .await?;
        // Read after the lock: the last holder may have moved it.
        let taken: BTreeSet<i32> = taken.into_iter().collect();
        for (partition, published) in position::read(self.log.pool()).await? {
            if taken.contains(&i32::from(partition.0)) {
                log_stopped(partition, &published);
                held.positions.insert(partition, published);
            }
        }
        Ok(())
    }
}

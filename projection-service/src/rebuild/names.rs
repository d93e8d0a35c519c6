//! What two generations say about the names of actors and about their traits, in a form that does not depend on ordinals.

use sqlx::PgConnection;
use uuid::Uuid;

/// The positions of a customer's merges and descriptions that are not alike in two generations, in order, at most `limit`.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn different(
    snapshot: &mut PgConnection,
    (live, rebuilt): (i32, i32),
    customer: Uuid,
    limit: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut positions = sqlx::query_scalar!(
        r#"SELECT position AS "position!"
             FROM (SELECT m.position, a.actor AS alias, b.actor, m.is_merged
                     FROM merges m
                     JOIN actors a ON a.generation = $1 AND a.customer_id = $3 AND a.ordinal = m.alias
                     JOIN actors b ON b.generation = $1 AND b.customer_id = $3 AND b.ordinal = m.actor
                    WHERE m.generation = $1 AND m.customer_id = $3) l
             FULL JOIN (SELECT m.position, a.actor AS alias, b.actor, m.is_merged
                          FROM merges m
                          JOIN actors a ON a.generation = $2 AND a.customer_id = $3 AND a.ordinal = m.alias
                          JOIN actors b ON b.generation = $2 AND b.customer_id = $3 AND b.ordinal = m.actor
                         WHERE m.generation = $2 AND m.customer_id = $3) r USING (position)
            WHERE (l.alias, l.actor, l.is_merged) IS DISTINCT FROM (r.alias, r.actor, r.is_merged)
            ORDER BY position LIMIT $4"#,
        live,
        rebuilt,
        customer,
        limit,
    )
    .fetch_all(&mut *snapshot)
    .await?;
    let descriptions = sqlx::query_scalar!(
        r#"SELECT position AS "position!"
             FROM (SELECT d.position, a.actor, d.traits
                     FROM descriptions d
                     JOIN actors a ON a.generation = $1 AND a.customer_id = $3 AND a.ordinal = d.actor
                    WHERE d.generation = $1 AND d.customer_id = $3) l
             FULL JOIN (SELECT d.position, a.actor, d.traits
                          FROM descriptions d
                          JOIN actors a ON a.generation = $2 AND a.customer_id = $3 AND a.ordinal = d.actor
                         WHERE d.generation = $2 AND d.customer_id = $3) r USING (position)
            WHERE (l.actor, l.traits) IS DISTINCT FROM (r.actor, r.traits)
            ORDER BY position LIMIT $4"#,
        live,
        rebuilt,
        customer,
        limit,
    )
    .fetch_all(snapshot)
    .await?;
    positions.extend(descriptions);
    positions.sort_unstable();
    Ok(positions)
}

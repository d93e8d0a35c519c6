WITH attempts AS (
    SELECT first.actor, first.occurred_at AS time_1, first.position AS position_1, second.time_2, third.time_3
      FROM plain_activities AS first
      LEFT JOIN LATERAL (
            SELECT occurred_at AS time_2, position AS position_2 FROM plain_activities
             WHERE customer = first.customer AND actor = first.actor AND type = 'kind.1'
               AND (occurred_at, position) > (first.occurred_at, first.position)
               AND occurred_at <= first.occurred_at + interval '7 days'
             ORDER BY occurred_at, position LIMIT 1) AS second ON true
      LEFT JOIN LATERAL (
            SELECT occurred_at AS time_3 FROM plain_activities
             WHERE customer = first.customer AND actor = first.actor AND type = 'kind.2'
               AND (occurred_at, position) > (second.time_2, second.position_2)
               AND occurred_at <= first.occurred_at + interval '7 days'
             ORDER BY occurred_at, position LIMIT 1) AS third ON true
     WHERE first.customer = $1 AND first.type = 'kind.0' AND first.occurred_at >= $2 AND first.occurred_at < $3
), best AS (
    SELECT DISTINCT ON (actor) time_1, time_2, time_3
      FROM attempts
     ORDER BY actor, num_nonnulls(time_2, time_3) DESC, time_1, position_1
)
SELECT (count(*) + count(time_2) + count(time_3)
        + coalesce(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY time_2 - time_1)), 0)
        + coalesce(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY time_3 - time_2)), 0))::float8
  FROM best

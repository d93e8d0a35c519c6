WITH followed AS (
    SELECT type AS type_0, occurred_at AS time_0,
           lead(type, 1) OVER w AS type_1, lead(occurred_at, 1) OVER w AS time_1,
           lead(type, 2) OVER w AS type_2, lead(occurred_at, 2) OVER w AS time_2,
           lead(type, 3) OVER w AS type_3, lead(occurred_at, 3) OVER w AS time_3
      FROM plain_activities
     WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3
    WINDOW w AS (PARTITION BY actor ORDER BY occurred_at, position)
), steps AS (
    SELECT *, time_1 - time_0 <= interval '30 minutes' AS has_1,
           time_1 - time_0 <= interval '30 minutes' AND time_2 - time_1 <= interval '30 minutes' AS has_2,
           time_1 - time_0 <= interval '30 minutes' AND time_2 - time_1 <= interval '30 minutes'
             AND time_3 - time_2 <= interval '30 minutes' AS has_3
      FROM followed WHERE type_0 = 'kind.0'
), links AS (
    SELECT 0 AS depth, NULL AS near, type_0 AS far, count(*) AS activities FROM steps GROUP BY far
    UNION ALL
    SELECT 1, type_0, type_1, count(*) FROM steps WHERE has_1 GROUP BY type_0, type_1
    UNION ALL
    SELECT 2, type_1, type_2, count(*) FROM steps WHERE has_2 GROUP BY type_1, type_2
    UNION ALL
    SELECT 3, type_2, type_3, count(*) FROM steps WHERE has_3 GROUP BY type_2, type_3
)
-- Each link is also counted in the node at its far end.
SELECT (sum(activities) + coalesce(sum(activities) FILTER (WHERE depth > 0), 0))::float8 FROM links

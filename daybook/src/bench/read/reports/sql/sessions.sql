WITH ordered AS (
    SELECT actor, occurred_at, position,
           coalesce(occurred_at - lag(occurred_at) OVER (PARTITION BY actor ORDER BY occurred_at, position)
                    > interval '30 minutes', true) AS begins
      FROM plain_activities
     WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3
), numbered AS (
    SELECT actor, occurred_at,
           count(*) FILTER (WHERE begins) OVER (PARTITION BY actor ORDER BY occurred_at, position
                                                 ROWS UNBOUNDED PRECEDING) AS session
      FROM ordered
), sessions AS (
    SELECT actor, min(occurred_at) AS first, max(occurred_at) AS last, count(*) AS activities
      FROM numbered
     GROUP BY actor, session
), days AS (
    SELECT day, sum(sessions) AS sessions, count(*) AS actors
      FROM (SELECT first::date AS day, actor, count(*) AS sessions FROM sessions GROUP BY day, actor) AS of_actors
     GROUP BY day
)
SELECT (count(*) + count(DISTINCT actor) + count(*) FILTER (WHERE activities = 1)
        + extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY last - first))
        + (SELECT sum(sessions + actors) FROM days))::float8
  FROM sessions

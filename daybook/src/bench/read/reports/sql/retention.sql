WITH seen AS (
    SELECT DISTINCT actor, occurred_at::date AS day
      FROM plain_activities
     WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3
), firsts AS (
    SELECT actor, min(day) AS start FROM seen GROUP BY actor
), report AS (
    SELECT start, day - start AS later, count(*) AS actors
      FROM seen JOIN firsts USING (actor)
     GROUP BY start, later
)
-- The size of a cohort is how many have an activity in its own day.
SELECT (sum(actors) + sum(actors) FILTER (WHERE later = 0))::float8 FROM report

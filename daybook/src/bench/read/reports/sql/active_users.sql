-- An actor counts in the 7 days that begin with one of its days, but no longer than until its next one: so each change of a
-- number is counted once, and the numbers are running sums of the changes.
WITH seen AS (
    SELECT DISTINCT actor, occurred_at::date AS day
      FROM plain_activities
     WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3
), spans AS (
    SELECT day, lead(day) OVER (PARTITION BY actor ORDER BY day) AS next FROM seen
), changes AS (
    SELECT day, count(*) AS daily, count(*) AS weekly, count(*) AS monthly FROM spans GROUP BY day
    UNION ALL
    SELECT least(day + 7, next), 0, -count(*), 0 FROM spans GROUP BY 1
    UNION ALL
    SELECT least(day + 30, next), 0, 0, -count(*) FROM spans GROUP BY 1
), report AS (
    SELECT day, coalesce(sum(daily), 0) AS daily,
           sum(coalesce(sum(weekly), 0)) OVER (ORDER BY day) AS weekly,
           sum(coalesce(sum(monthly), 0)) OVER (ORDER BY day) AS monthly
      FROM (SELECT generate_series($2::date, $3::date - 1, '1 day')::date AS day) AS days
      LEFT JOIN changes USING (day)
     GROUP BY day
)
SELECT sum(daily + weekly + monthly)::float8 FROM report

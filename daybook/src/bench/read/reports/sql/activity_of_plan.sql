SELECT sum(activities)::float8
  FROM (SELECT date_trunc('day', occurred_at) AS day, country, count(*) AS activities
          FROM plain_activities
         WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3 AND plan = 'pro'
         GROUP BY day, country) AS report

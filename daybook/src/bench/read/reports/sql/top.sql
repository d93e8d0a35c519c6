SELECT sum(activities + actors)::float8
  FROM (SELECT country, sum(activities) AS activities, count(*) AS actors
          FROM (SELECT country, actor, count(*) AS activities
                  FROM plain_activities
                 WHERE customer = $1 AND occurred_at >= $2 AND occurred_at < $3
                 GROUP BY country, actor) AS of_actors
         GROUP BY country) AS report

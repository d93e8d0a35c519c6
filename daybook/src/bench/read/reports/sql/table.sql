CREATE TABLE plain_activities AS
SELECT customer_id AS customer, (payload->>'occurred_at')::timestamptz AS occurred_at, position,
       payload->>'actor' AS actor, payload->>'type' AS type, (payload->>'value')::numeric AS value,
       payload->'properties'->>'plan' AS plan, payload->'properties'->>'country' AS country,
       payload->'properties'->>'page' AS page
  FROM events

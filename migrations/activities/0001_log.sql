-- The log: one append-only table of events, cut into partitions that each have one head. The same file serves the
-- log of `activities` and the log of `customers`; the number of partitions is data (rows of log_head), not schema.

CREATE TABLE log_head (
    partition   int         PRIMARY KEY,
    -- Position of the last event; positions are 1, 2, 3 … without a hole and in commit order.
    position    bigint      NOT NULL DEFAULT 0,
    -- recorded_at of the last event; never goes back, so that a time is a precise cut through the partition.
    recorded_at timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE events (
    partition      int         NOT NULL,
    position       bigint      NOT NULL,
    sequence       bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    event_id       uuid        NOT NULL,
    customer_id    uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    PRIMARY KEY (partition, position),
    -- Makes ingest idempotent for ever, and is the optimistic lock of a stream.
    UNIQUE (partition, aggregate_type, aggregate_id, sequence)
);

-- History is read by customer, in position order.
CREATE INDEX events_by_customer ON events (partition, customer_id, position);

-- Nothing changes or removes an event. The missing privileges stop the owner, the triggers stop a superuser too.
REVOKE UPDATE, DELETE, TRUNCATE ON events FROM PUBLIC, CURRENT_USER;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER events_are_immutable BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How far the outbox relay has published each partition.
CREATE TABLE relay_position (
    partition int    PRIMARY KEY,
    position  bigint NOT NULL DEFAULT 0
);

-- Appends what is new of a batch, in one transaction: the slow path, for a batch of which something was stored before. One row
-- of the arrays is one event; `rank` is its place among the batch's events of its partition, from 1; `unit` numbers the
-- appends that must be stored whole or not at all. Answers a row per partition: the head before the batch, the time,
-- and the units that were refuted because their stream already has one of their sequences.
CREATE FUNCTION append_events(
    p_partitions int[], p_counts bigint[],
    p_partition int[], p_rank bigint[], p_unit int[], p_sequence bigint[], p_event_id uuid[], p_customer_id uuid[],
    p_aggregate_type text[], p_aggregate_id text[], p_event_type text[], p_event_version text[],
    p_payload text[], p_metadata text[]
) RETURNS TABLE (partition int, head bigint, recorded_at timestamptz, refuted int[])
LANGUAGE plpgsql
-- With an ordinary plan the anti-join fell to 348 rows a second after the table had been emptied: the cached plan
-- scanned the table. Pinned to the index, it costs the same on any size.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    parts         int[];
    heads         bigint[];
    times         timestamptz[];
    refuted_units int[];
BEGIN
    -- In order, so that two batches that share partitions cannot deadlock. Each row is told its head from these arrays:
    -- a join would look it up in the index once for every row. The clock is read after the lock, so that what the last
    -- holder wrote is the past.
    SELECT array_agg(h.partition), array_agg(h.position), array_agg(greatest(clock_timestamp(), h.recorded_at))
      INTO parts, heads, times
      FROM (SELECT * FROM log_head l WHERE l.partition = ANY (p_partitions) ORDER BY l.partition FOR UPDATE) h;
    IF cardinality(parts) IS DISTINCT FROM cardinality(p_partitions) THEN
        RAISE EXCEPTION 'a partition of the batch is not in this log' USING ERRCODE = 'check_violation';
    END IF;

    -- A new statement after the lock: its snapshot sees what the last holder of the heads committed.
    SELECT coalesce(array_agg(DISTINCT i.unit), '{}') INTO refuted_units
      FROM unnest(p_unit, p_partition, p_aggregate_type, p_aggregate_id, p_sequence)
           AS i (unit, partition, aggregate_type, aggregate_id, sequence)
     WHERE EXISTS (SELECT 1 FROM events s
                    WHERE s.partition = i.partition AND s.aggregate_type = i.aggregate_type
                      AND s.aggregate_id = i.aggregate_id AND s.sequence = i.sequence);

    RETURN QUERY
    WITH kept AS MATERIALIZED (
        SELECT e.*, row_number() OVER (PARTITION BY e.partition ORDER BY e.rank) AS new_rank
          FROM unnest(p_partition, p_rank, p_unit, p_sequence, p_event_id, p_customer_id, p_aggregate_type,
                      p_aggregate_id, p_event_type, p_event_version, p_payload, p_metadata)
               AS e (partition, rank, unit, sequence, event_id, customer_id, aggregate_type,
                     aggregate_id, event_type, event_version, payload, metadata)
         WHERE e.unit <> ALL (refuted_units)
    ), inserted AS (
        INSERT INTO events (partition, position, sequence, recorded_at, event_id, customer_id,
                            aggregate_type, aggregate_id, event_type, event_version, payload, metadata)
        SELECT k.partition, heads[array_position(parts, k.partition)] + k.new_rank, k.sequence,
               times[array_position(parts, k.partition)], k.event_id, k.customer_id, k.aggregate_type,
               k.aggregate_id, k.event_type, k.event_version,
               k.payload::json, k.metadata::json
          FROM kept k
    ), counted AS (
        SELECT p.partition, (SELECT count(*) FROM kept k WHERE k.partition = p.partition) AS events
          FROM unnest(p_partitions) AS p (partition)
    )
    UPDATE log_head h
       SET position = h.position + c.events,
           recorded_at = CASE WHEN c.events = 0 THEN h.recorded_at ELSE times[array_position(parts, h.partition)] END
      FROM counted c
     WHERE h.partition = c.partition
    RETURNING h.partition, h.position - c.events, h.recorded_at, refuted_units;
END $$;

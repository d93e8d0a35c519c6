-- One read model in columns instead of three in rows. A row is an activity as it stood from one position of the log on; a
-- correction ends it and begins another, a redaction ends it, and nothing is taken away, so that a report can say what it
-- said at any position. What was folded into the old tables is thrown away and folded again from the log.

DROP TABLE activity_minutes, activity_quarters, actors, actor_counts, active_quarters, feed;
DELETE FROM dead_letters;
DELETE FROM discards;
DELETE FROM checkpoints;
DELETE FROM projections;

-- Which event a checkpoint stands at, so that another log, or one that was set back, is noticed.
ALTER TABLE checkpoints ADD COLUMN log_id uuid, ADD COLUMN event_id uuid;

-- What is new: rows of one customer in one compact blob each. Small ones become larger ones (`level`), and 65,536 rows
-- become a segment.
CREATE TABLE deltas (
    generation     int      NOT NULL,
    customer_id    uuid     NOT NULL,
    id             bigint   NOT NULL,
    level          smallint NOT NULL,
    rows           int      NOT NULL,
    -- Of the events that made the rows.
    first_position bigint   NOT NULL,
    last_position  bigint   NOT NULL,
    -- When they happened, in microseconds since 1970.
    first_time     bigint   NOT NULL,
    last_time      bigint   NOT NULL,
    content        bytea    NOT NULL,
    PRIMARY KEY (generation, customer_id, id)
) PARTITION BY LIST (generation);
-- The blob is compressed already.
ALTER TABLE deltas ALTER COLUMN content SET STORAGE EXTERNAL;

-- At most 65,536 rows of one customer, in the order in which they happened. Of a segment only the column `ended` changes;
-- a merge replaces several segments by others.
CREATE TABLE segments (
    generation     int      NOT NULL,
    customer_id    uuid     NOT NULL,
    id             bigint   NOT NULL,
    -- How often its rows were merged.
    level          smallint NOT NULL,
    -- Segments that one merge made follow each other in time and have one run; any other is a run of its own.
    run            bigint   NOT NULL,
    rows           int      NOT NULL,
    first_position bigint   NOT NULL,
    last_position  bigint   NOT NULL,
    first_time     bigint   NOT NULL,
    last_time      bigint   NOT NULL,
    -- Of how many rows the column `ended` says that they have ended; it only grows.
    ended_rows     int      NOT NULL,
    -- The columns that it has, by name.
    columns        text[]   NOT NULL,
    -- How many rows each type has.
    types          text[]   NOT NULL,
    type_rows      bigint[] NOT NULL,
    PRIMARY KEY (generation, customer_id, id)
) PARTITION BY LIST (generation);

-- Each column by itself, so that a report reads only what it needs.
CREATE TABLE segment_columns (
    generation  int    NOT NULL,
    customer_id uuid   NOT NULL,
    segment     bigint NOT NULL,
    name        text   NOT NULL,
    content     bytea  NOT NULL,
    PRIMARY KEY (generation, customer_id, segment, name)
) PARTITION BY LIST (generation);
ALTER TABLE segment_columns ALTER COLUMN content SET STORAGE EXTERNAL;

-- Rows that have ended, by the position of the event that made them, until a merge writes it into their segment.
CREATE TABLE ends (
    generation  int    NOT NULL,
    customer_id uuid   NOT NULL,
    position    bigint NOT NULL,
    ended       bigint NOT NULL,
    PRIMARY KEY (generation, customer_id, position)
) PARTITION BY LIST (generation);

-- Ordinals of actors, given in the order in which they first appear in the log, so that two generations at the same
-- position are equal. `key` is a hash of customer and actor: a look-up by it can use no other index.
CREATE TABLE actors (
    generation  int  NOT NULL,
    key         uuid NOT NULL,
    customer_id uuid NOT NULL,
    ordinal     int  NOT NULL,
    actor       text NOT NULL,
    PRIMARY KEY (generation, key)
) PARTITION BY LIST (generation);
CREATE INDEX actors_by_ordinal ON actors (customer_id, ordinal);

-- What the fold has to know of a customer: how many actors there are, and how much lies in deltas of each level.
CREATE TABLE stores (
    generation   int    NOT NULL,
    customer_id  uuid   NOT NULL,
    partition    int    NOT NULL,
    actors       int    NOT NULL,
    delta_rows   int    NOT NULL,
    small_deltas int    NOT NULL,
    large_deltas int    NOT NULL,
    -- Segments that were never merged.
    new_segments int    NOT NULL,
    -- Rows of `ends`.
    ends         int    NOT NULL,
    PRIMARY KEY (generation, customer_id)
) PARTITION BY LIST (generation);
-- Those that the merge has something to do with.
CREATE INDEX stores_to_merge ON stores (partition) WHERE new_segments >= 8 OR ends >= 4096;

CREATE SEQUENCE chunk_ids;

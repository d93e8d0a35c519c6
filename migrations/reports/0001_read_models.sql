-- The read models of reports, and what folds them. All of it can be thrown away and folded again from the log: the
-- tables of a read model hold several generations side by side (list partitions), so that a rebuild fills new tables
-- while the live ones are read, and dropping an old generation takes a moment. Folds know no time zone: every zone's
-- offset is a multiple of 15 minutes, so counts are kept per UTC minute and per UTC quarter of an hour.

-- One row for each projection. `version` is that of the code that folds the live generation.
CREATE TABLE projections (
    name                text PRIMARY KEY,
    version             int  NOT NULL,
    live_generation     int  NOT NULL,
    -- Being filled by a rebuild, if one is under way.
    building_generation int,
    -- The one before the live one: a way back.
    previous_generation int,
    previous_version    int,
    -- Numbers are never used twice.
    last_generation     int  NOT NULL
);

-- How far a generation has folded a partition; moves only in the transaction that folds.
CREATE TABLE checkpoints (
    projection    text   NOT NULL,
    generation    int    NOT NULL,
    partition     int    NOT NULL,
    position      bigint NOT NULL DEFAULT 0,
    folded        bigint NOT NULL DEFAULT 0,
    -- Set aside now, with those that wait: so many rows of dead_letters.
    dead_lettered bigint NOT NULL DEFAULT 0,
    -- Left out for good, because somebody said so.
    discarded     bigint NOT NULL DEFAULT 0,
    -- recorded_at of the event at `position`.
    recorded_at   timestamptz,
    PRIMARY KEY (projection, generation, partition),
    -- Everything is accounted for.
    CHECK (position = folded + dead_lettered + discarded)
) WITH (fillfactor = 50);

-- The durable delayed job: at most one for each partition.
CREATE TABLE jobs (
    partition          int         PRIMARY KEY,
    run_at             timestamptz NOT NULL,
    -- How far the partition was known to be published when the job was made.
    published_position bigint      NOT NULL,
    attempts           int         NOT NULL DEFAULT 0,
    last_error         text
);

-- Events that a projection could not fold, each whole as the log has it, and the later events of the same streams, which
-- wait behind them. A retry folds them in order.
CREATE TABLE dead_letters (
    projection     text        NOT NULL,
    generation     int         NOT NULL,
    partition      int         NOT NULL,
    position       bigint      NOT NULL,
    -- The position of the event that this one waits behind; none for an event that could not be folded itself.
    waits_behind   bigint,
    customer_id    uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL,
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    event_id       uuid        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    reason         text        NOT NULL,
    -- How often it was tried; those that wait have not been.
    attempts       int         NOT NULL,
    set_aside_at   timestamptz NOT NULL DEFAULT now(),
    attempted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, generation, partition, position)
) WITH (fillfactor = 90);
CREATE INDEX dead_letters_by_stream ON dead_letters (projection, generation, partition, aggregate_id, position);
-- Lists tell of those that nothing else stands before.
CREATE INDEX dead_letters_by_customer ON dead_letters (customer_id, partition, position) WHERE waits_behind IS NULL;

-- Dead letters that were discarded, as the log says. A rebuild that meets one of these events leaves it out.
CREATE TABLE discards (
    projection text   NOT NULL,
    partition  int    NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (projection, partition, position)
);

-- Projection `activity`. The sum is numeric: adding and taking out must give the same whatever the order and the batches.
-- A count is never below zero and no row stays at zero; the fold sees to it, since a CHECK would refuse to take out too.
CREATE TABLE activity_minutes (
    generation  int         NOT NULL,
    partition   int         NOT NULL,
    customer_id uuid        NOT NULL,
    bucket      timestamptz NOT NULL,
    type        text        NOT NULL,
    count       bigint      NOT NULL,
    value_count bigint      NOT NULL,
    value_sum   numeric     NOT NULL,
    PRIMARY KEY (generation, partition, customer_id, bucket, type)
) PARTITION BY LIST (generation);

CREATE TABLE activity_quarters (
    generation  int         NOT NULL,
    partition   int         NOT NULL,
    customer_id uuid        NOT NULL,
    bucket      timestamptz NOT NULL,
    type        text        NOT NULL,
    count       bigint      NOT NULL,
    value_count bigint      NOT NULL,
    value_sum   numeric     NOT NULL,
    PRIMARY KEY (generation, partition, customer_id, bucket, type)
) PARTITION BY LIST (generation);

-- Projection `active-users`. Ordinals are given in the order in which a customer's actors first appear, so that two
-- generations at the same position are equal byte by byte.
CREATE TABLE actors (
    generation  int  NOT NULL,
    partition   int  NOT NULL,
    customer_id uuid NOT NULL,
    ordinal     int  NOT NULL,
    actor       text NOT NULL,
    -- No second key by ordinal: while a rebuild fills a table of which nothing is known yet, the planner cannot tell which
    -- of the two finds one row and which finds all of a customer's.
    PRIMARY KEY (generation, partition, customer_id, actor)
) PARTITION BY LIST (generation);

-- How many actors a customer has: the ordinal of the next one.
CREATE TABLE actor_counts (
    generation  int  NOT NULL,
    partition   int  NOT NULL,
    customer_id uuid NOT NULL,
    actors      int  NOT NULL,
    PRIMARY KEY (generation, partition, customer_id)
) PARTITION BY LIST (generation);

CREATE TABLE active_quarters (
    generation  int         NOT NULL,
    partition   int         NOT NULL,
    customer_id uuid        NOT NULL,
    bucket      timestamptz NOT NULL,
    -- A roaring bitmap (its portable format) of ordinals.
    actors      bytea       NOT NULL,
    -- How many activities an actor has in this quarter, where it is more than one: pairs of LEB128 numbers, the ordinal
    -- (as the distance from the one before) and the count.
    repeats     bytea       NOT NULL,
    PRIMARY KEY (generation, partition, customer_id, bucket)
) PARTITION BY LIST (generation);

-- Projection `feed`: each activity as it now stands.
CREATE TABLE feed (
    generation  int         NOT NULL,
    partition   int         NOT NULL,
    customer_id uuid        NOT NULL,
    activity_id text        NOT NULL,
    type        text        NOT NULL,
    actor       text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    value       double precision,
    properties  json,
    context     json,
    -- Of the event that recorded it.
    recorded_at timestamptz NOT NULL,
    position    bigint      NOT NULL,
    -- Of the last event of its stream.
    sequence    bigint      NOT NULL,
    PRIMARY KEY (generation, partition, customer_id, activity_id)
) PARTITION BY LIST (generation);
CREATE INDEX feed_by_time ON feed (customer_id, occurred_at, position);
CREATE INDEX feed_by_type ON feed (customer_id, type, occurred_at, position);
CREATE INDEX feed_by_actor ON feed (customer_id, actor, occurred_at, position);

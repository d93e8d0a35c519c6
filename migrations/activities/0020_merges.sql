-- The merges of a customer as of some event of its stream, so that a command need not read them from the first on. Everything
-- here is a copy of what the log says: it may be emptied at any time. It is added: the previous version goes on without it.

CREATE TABLE merge_snapshots (
    customer_id uuid   PRIMARY KEY,
    -- The last event of the stream that is in `merged_actors`.
    sequence    bigint NOT NULL
);

CREATE TABLE merged_actors (
    customer_id uuid   NOT NULL,
    alias       text   COLLATE "C" NOT NULL,
    actor       text   COLLATE "C" NOT NULL,
    -- Of the event that merged them.
    position    bigint NOT NULL,
    PRIMARY KEY (customer_id, alias)
);

-- As in the log: every look-up goes by the key, and its plan must not depend on statistics.
ALTER TABLE merge_snapshots ALTER COLUMN customer_id SET STATISTICS 0;
ALTER TABLE merged_actors ALTER COLUMN customer_id SET STATISTICS 0, ALTER COLUMN alias SET STATISTICS 0;

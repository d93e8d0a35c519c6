-- A rebuild that was broken off goes on where it stopped, if what it was filling was folded by the same version; and how
-- far a rebuild is can be read by everybody, whoever runs it. All of it is added: the previous version goes on working.

ALTER TABLE projections ADD COLUMN building_version int;

-- One row for each rebuild that was asked for; the process that runs it writes how far it is.
CREATE TABLE rebuilds (
    id           uuid        PRIMARY KEY,
    projection   text        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    -- Null while it waits for a process to take it up.
    started_at   timestamptz,
    -- Null until it is done or has failed.
    ended_at     timestamptz,
    -- Being filled, or live since then.
    generation   int,
    -- Events that are folded, and how many there are to fold.
    folded       bigint      NOT NULL DEFAULT 0,
    total        bigint      NOT NULL DEFAULT 0,
    -- Events a second, lately.
    rate         float8      NOT NULL DEFAULT 0,
    -- Why it waits, if it does.
    paused       text,
    -- Why it failed.
    error        text
);
CREATE INDEX rebuilds_by_time ON rebuilds (projection, requested_at);

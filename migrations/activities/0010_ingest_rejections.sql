-- What was sent and is not recorded: the last 1,000 of each customer, for people to look at. Written in the background,
-- many rows with one statement; losing some costs nobody anything but the look. Safe while the previous version runs.

CREATE TABLE ingest_rejections (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    customer_id   uuid NOT NULL,
    received_at   timestamptz NOT NULL,
    protocol      text NOT NULL,
    -- As the metadata of events names a caller: `token:<id>`, `member:<id>`.
    subject       text NOT NULL,
    request_id    text,
    -- The message's place in the request; null if the request as a whole could not be read.
    index         integer,
    activity_id   text,
    activity_type text,
    errors        jsonb NOT NULL,
    PRIMARY KEY (customer_id, id)
);

-- It churns: rows go as fast as they come.
ALTER TABLE ingest_rejections SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

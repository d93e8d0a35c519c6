-- Another password: by the old one, or by a link. All of it is added; the previous version goes on working beside it,
-- and stops folding at the first event that it does not know, as it would with any new event.

-- Which password the hash is of, as the log names it. Null: the one with which the member joined.
ALTER TABLE credentials ADD COLUMN password_id uuid;

-- Hashes that wait for their event. The hash is written first, then the event; the fold of the event puts the hash in
-- its place and ends the member's sessions, in one transaction. A crash in between leaves a row that nothing names.
CREATE TABLE new_passwords (
    password_id   uuid        PRIMARY KEY,
    member_id     uuid        NOT NULL,
    -- Argon2id, as a PHC string with its parameters.
    password_hash text        NOT NULL,
    -- `sessions.id` of the one that goes on, if any.
    keeps_session bytea,
    chosen_at     timestamptz NOT NULL
);

-- Links with which a member can choose a password without the old one. Whether a link still works, the log says.
CREATE TABLE password_resets (
    reset_id      uuid        PRIMARY KEY,
    customer_id   uuid        NOT NULL,
    member_id     uuid        NOT NULL,
    -- SHA-256 of the link's secret: who reads this table cannot use it.
    secret_sha256 bytea       NOT NULL UNIQUE,
    expires_at    timestamptz NOT NULL
);

CREATE INDEX password_resets_by_member ON password_resets (member_id);

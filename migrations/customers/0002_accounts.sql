-- Accounts. What happened to customers, members and tokens is in the log; two things are kept beside it, because an
-- append-only log cannot forget a secret: the passwords' hashes, and the sessions. The other tables are read models,
-- filled by nothing but the fold of the log, and can be dropped and folded again.

-- How to log in. A row is written before the event of the sign-up, so that two sign-ups cannot take the same address;
-- it counts once the member is in the log.
CREATE TABLE credentials (
    member_id     uuid        PRIMARY KEY,
    customer_id   uuid        NOT NULL,
    -- In lower case, as the program lowers it.
    email         text        NOT NULL UNIQUE,
    -- Argon2id, as a PHC string with its parameters.
    password_hash text        NOT NULL,
    reserved_at   timestamptz NOT NULL
);

-- Who is logged in.
CREATE TABLE sessions (
    -- SHA-256 of the cookie's secret: who reads this table cannot log in.
    id          bytea       PRIMARY KEY,
    member_id   uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    -- Moves on while the session is used.
    expires_at  timestamptz NOT NULL
);

CREATE INDEX sessions_by_member ON sessions (member_id, created_at DESC);

-- When a token was last validated, by the minute: not an event, since nobody decided anything.
CREATE TABLE token_uses (
    token_id     uuid        PRIMARY KEY,
    last_used_at timestamptz NOT NULL
);

-- Up to where the read models below have folded the log; moves only in the transaction that folds.
CREATE TABLE projection_checkpoint (
    partition int    PRIMARY KEY,
    position  bigint NOT NULL
);

INSERT INTO projection_checkpoint (partition, position) VALUES (0, 0);

CREATE TABLE customers (
    customer_id  uuid        PRIMARY KEY,
    name         text        NOT NULL,
    -- IANA name.
    time_zone    text        NOT NULL,
    signed_up_at timestamptz NOT NULL
);

CREATE TABLE members (
    member_id   uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    email       text        NOT NULL,
    role        text        NOT NULL,
    added_at    timestamptz NOT NULL
);

CREATE INDEX members_by_customer ON members (customer_id, member_id);

CREATE TABLE tokens (
    -- UUIDv7: in the order in which tokens were issued.
    token_id    uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    name        text        NOT NULL,
    prefix      text        NOT NULL,
    -- Of the secret, in hexadecimal.
    sha256      text        NOT NULL UNIQUE,
    scopes      text[]      NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);

CREATE INDEX tokens_by_customer ON tokens (customer_id, token_id DESC);

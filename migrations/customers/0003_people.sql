-- People, sessions and the uses of tokens. All of it is added: the previous version goes on working beside it.

-- The token whose place this one took.
ALTER TABLE tokens ADD COLUMN replaces uuid;

-- Whoever knows the token's secret because of being a member when it was issued: the member who issued it, or whose
-- token did. The token is good for as long as that member could issue it.
ALTER TABLE tokens ADD COLUMN maker uuid;

-- When a token was first used; its last use is there already.
ALTER TABLE token_uses ADD COLUMN first_used_at timestamptz;

-- From where a token was used, as the gateway saw it; the latest addresses of each token.
CREATE TABLE token_addresses (
    token_id      uuid        NOT NULL,
    address       text        NOT NULL,
    first_used_at timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    PRIMARY KEY (token_id, address)
);

-- Invitations by link that wait to be accepted. The fold of the member's joining removes the row, so that a link works
-- once even if the service dies in between.
CREATE TABLE invitations (
    -- The id that the member will have.
    invitation_id uuid        PRIMARY KEY,
    customer_id   uuid        NOT NULL,
    email         text        NOT NULL,
    role          text        NOT NULL,
    -- SHA-256 of the link's secret: who reads this table cannot accept.
    secret_sha256 bytea       NOT NULL UNIQUE,
    -- Who invited: `member:<id>` or `token:<id>`.
    invited_by    text        NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);

CREATE INDEX invitations_by_customer ON invitations (customer_id, invitation_id);

-- What a member sees of a session: its name in the API, when it was used last, and from where.
ALTER TABLE sessions ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE sessions ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE sessions ADD COLUMN address text;
ALTER TABLE sessions ADD COLUMN user_agent text;
CREATE UNIQUE INDEX sessions_by_name ON sessions (session_id);

-- Attempts to log in that failed, by account and by address, within a window that begins with the first one.
CREATE TABLE log_in_attempts (
    -- SHA-256 of the account's or the client's address: what was typed in error is nobody's to read.
    key        bytea       PRIMARY KEY,
    attempts   int         NOT NULL,
    window_end timestamptz NOT NULL
);

CREATE INDEX log_in_attempts_by_end ON log_in_attempts (window_end);

-- Fold the log once more, for the new columns. Folding an event again changes nothing else.
UPDATE projection_checkpoint SET position = 0;

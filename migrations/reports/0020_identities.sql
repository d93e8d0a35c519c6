-- Which names of actors mean one actor, and what is known of each, as of any position. Rows are written and never changed:
-- what holds at a position is said by the last row up to it. All of it is added: the previous version goes on without, and a
-- generation that it has folded has no such rows; the service then rebuilds by itself.

-- What an alias meant from a position on; both are ordinals of `actors`. The last row of an alias up to a position counts.
CREATE TABLE merges (
    generation  int     NOT NULL,
    customer_id uuid    NOT NULL,
    position    bigint  NOT NULL,
    alias       int     NOT NULL,
    actor       int     NOT NULL,
    -- Whether the alias meant the actor from here on, or itself again.
    is_merged   boolean NOT NULL,
    PRIMARY KEY (generation, customer_id, position)
) PARTITION BY LIST (generation);
-- Where events of one actor lie.
CREATE INDEX merges_by_alias ON merges (customer_id, alias, position);
CREATE INDEX merges_by_actor ON merges (customer_id, actor, position);

-- All traits that a name had from a position on, as a JSON object.
CREATE TABLE descriptions (
    generation  int    NOT NULL,
    customer_id uuid   NOT NULL,
    actor       int    NOT NULL,
    position    bigint NOT NULL,
    traits      text   NOT NULL,
    PRIMARY KEY (generation, customer_id, actor, position)
) PARTITION BY LIST (generation);
CREATE INDEX descriptions_by_position ON descriptions (customer_id, position);

-- How many descriptions a customer has: whoever keeps in memory what they say sees by it that there are more.
ALTER TABLE stores ADD COLUMN descriptions bigint NOT NULL DEFAULT 0;

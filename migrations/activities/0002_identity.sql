-- The identity of the log, and which event the relay stands at. A position alone does not say which event it means: a log
-- that was set back to a backup gives the same positions out again, to other events. The same file serves the log of
-- `activities` and the log of `customers`. All of it is added: the previous version goes on working beside it.

CREATE TABLE log_identity (
    -- One row: a log has one identity for ever. A copy of the log has the same one.
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id     uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO log_identity DEFAULT VALUES;

CREATE TRIGGER log_identity_is_immutable BEFORE UPDATE OR DELETE ON log_identity
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_identity_is_not_truncated BEFORE TRUNCATE ON log_identity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The event that the relay published last: in which log, at which position, its id and its time. The position is kept once
-- more, since the previous version moves `position` without the others.
ALTER TABLE relay_position ADD COLUMN log_id uuid;
ALTER TABLE relay_position ADD COLUMN event_position bigint;
ALTER TABLE relay_position ADD COLUMN event_id uuid;
ALTER TABLE relay_position ADD COLUMN recorded_at timestamptz;
-- The last event on the bus that is not in this log, if an operator has decided to publish all the same.
ALTER TABLE relay_position ADD COLUMN superseded_event_id uuid;
-- Why the relay does not publish this partition until an operator decides; null while it does.
ALTER TABLE relay_position ADD COLUMN stopped_because text;

UPDATE relay_position r
   SET log_id = i.log_id, event_position = e.position, event_id = e.event_id, recorded_at = e.recorded_at
  FROM events e, log_identity i
 WHERE e.partition = r.partition AND e.position = r.position;

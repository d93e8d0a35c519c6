-- Plans that do not depend on statistics. Every look-up in the log goes by a key, and its plan is the same from the first
-- event to the last. With statistics it is not: a partition, a customer or a type that ANALYZE had not seen yet counts as
-- one row, and then any index that begins with it seems as good as the right one. So PostgreSQL keeps no statistics of
-- these columns, and plans by the size of the table alone. Safe while the previous version runs.

-- Removing the statistics that exist takes the table for a moment; whoever reads it for long is not waited for.
SET LOCAL lock_timeout = '10s';

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.oid::regclass AS relation, a.attname, format_type(a.atttypid, a.atttypmod) AS type,
               EXISTS (SELECT FROM pg_stats s
                        WHERE s.schemaname = current_schema() AND s.tablename = c.relname AND s.attname = a.attname)
                   AS is_analysed
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = 'events'
           AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', one.relation, one.attname);
        IF one.is_analysed THEN
            -- To the type that it has: nothing is rewritten, and the statistics go.
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', one.relation, one.attname, one.type);
        END IF;
    END LOOP;
END $$;

-- A plan that was made while the log was empty is as good as any other then, and is kept for as long as the connection
-- lives. This function is called for few batches: it is planned each time.
ALTER FUNCTION append_events SET plan_cache_mode = force_custom_plan;
ALTER FUNCTION append_events SET jit = off;

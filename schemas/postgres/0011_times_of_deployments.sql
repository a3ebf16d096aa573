-- What each deployment brought, in its own row: an answer in any time zone, or for a part of a day, reads a row for
-- each deployment and not one for each change.

-- A generation that is being built has no such columns: dora recompute begins it again.
UPDATE generations SET state = 'failed' WHERE state = 'building';
DROP SCHEMA IF EXISTS building CASCADE;

ALTER TABLE attributions ADD COLUMN lead_times bytea, ADD COLUMN merge_times bytea;
COMMENT ON COLUMN attributions.lead_times IS
    'The lead_seconds of its deployed_changes, as link_days packs them; NULL until the relinker has been there';
COMMENT ON COLUMN attributions.merge_times IS 'The merge_seconds of its deployed_changes, likewise';
CREATE INDEX attributions_without_times ON attributions ((true)) WHERE lead_times IS NULL;
-- The few that failed, to be found without the many that did not.
CREATE INDEX attributions_failed ON attributions (service, environment, deployed_at) INCLUDE (recovery_seconds)
    WHERE role = 'counted' AND failure_rule IS NOT NULL;

-- The relinker fills them; answers read deployed_changes until it has.
INSERT INTO relinks SELECT DISTINCT service, environment FROM attributions ON CONFLICT DO NOTHING;

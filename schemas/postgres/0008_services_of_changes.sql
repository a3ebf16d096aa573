-- Which services a commit concerns, by the paths that it changes, where one repository holds several of them.

-- A generation that is being built has no such column: dora recompute begins it again.
UPDATE generations SET state = 'failed' WHERE state = 'building';
DROP SCHEMA IF EXISTS building CASCADE;

ALTER TABLE changes ADD COLUMN services text;
COMMENT ON COLUMN changes.services IS
    'The services that the commit concerns, one a line, where the catalog divides the repository; NULL where not';

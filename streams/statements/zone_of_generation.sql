-- The zone in which a generation keeps its tables.
-- $1 generation
SELECT timezone FROM generations WHERE generation = $1

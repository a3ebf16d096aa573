-- The zone in which the tables are kept.
SELECT timezone FROM generations WHERE state = 'active';

INSERT INTO frequency_positions AS known (partition, position)
SELECT * FROM unnest($1::integer[], $2::bigint[]) AS reached (partition, position) ORDER BY partition
ON CONFLICT (partition) DO UPDATE SET position = excluded.position WHERE known.position <= excluded.position
RETURNING partition

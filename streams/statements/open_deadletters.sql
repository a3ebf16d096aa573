-- What an older generation has redriven is not done in a generation that is being built.
SELECT letter.identity, letter.attempts, letter.stage, letter.reason, letter.rule, letter.key, letter.value,
       letter.headers, letter.origin_topic, letter.origin_partition, letter.origin_offset, letter.arrived_at
FROM unnest($1::bytea[], $2::integer[]) AS asked (identity, attempts)
JOIN deadletters AS letter ON letter.identity = asked.identity AND letter.attempts = asked.attempts
WHERE letter.state = 'open' OR (letter.state = 'redriven' AND letter.generation < $3)

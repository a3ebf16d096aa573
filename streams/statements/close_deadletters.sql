UPDATE deadletters AS letter
SET state = 'redriven', settled_at = now()
FROM unnest($1::bytea[], $2::integer[]) AS done (identity, attempts)
WHERE letter.identity = done.identity AND letter.attempts = done.attempts AND letter.state = 'open'

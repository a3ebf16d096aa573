UPDATE deadletters AS letter
SET state = 'dropped', settled_at = now(), because = dropped.because
FROM unnest($1::bytea[], $2::text[]) AS dropped (identity, because)
WHERE letter.identity = dropped.identity AND letter.state = 'open'

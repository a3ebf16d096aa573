-- Dead letters as an order names them.
-- $1 their numbers
SELECT deadletter_id, identity, attempts, state, stage, reason
  FROM deadletters
 WHERE deadletter_id = ANY ($1::bigint[])
 ORDER BY deadletter_id;

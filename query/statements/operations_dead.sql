-- Open dead letters by the type of their event, NULL for records that are none; of the latest so many.
-- $1 how many are looked at
SELECT type, count(*) AS letters
  FROM (SELECT type FROM deadletters WHERE state = 'open' ORDER BY deadletter_id DESC LIMIT $1) AS latest
 GROUP BY type;

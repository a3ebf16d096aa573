-- What the key is good for that has this id and this digest of its secret, while it is valid.
-- $1 id, $2 SHA-256 of its secret
SELECT name, teams, rights, expires_at FROM authenticate_key($1, $2);

-- $1 digests
SELECT digest, artifact, repository, commit, change_id FROM artifacts WHERE digest = ANY ($1::bytea[])

-- The merge of streams/facts/artifacts.py: the greatest of each text.
INSERT INTO artifacts AS known (digest, artifact, repository, commit, change_id)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (digest) DO UPDATE SET
    repository = GREATEST(known.repository COLLATE "C", excluded.repository),
    commit = GREATEST(known.commit COLLATE "C", excluded.commit),
    change_id = GREATEST(known.change_id COLLATE "C", excluded.change_id)

SELECT known.source, known.id, known.digest
FROM unnest($1::text[], $2::text[]) AS wanted (source, id)
JOIN cloudevents_raw AS known ON known.source = wanted.source AND known.id = wanted.id

"""The contracts between the rooms: CloudEvents, CDEvents, topics, the catalog and the tables. Pure."""

"""The way out: PostgreSQL to people. REST API, dashboard, live view. Can only read."""

"""PostgreSQL, as the stages write it: one module for each table, statements in streams/statements."""

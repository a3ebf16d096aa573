"""Rows of spreadsheets and of other tools as reports, for `dora import` (docs/operating.md, "Import")."""

"""The real broker and database of the tests. Import from here, never from a conftest.py."""

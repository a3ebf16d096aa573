"""The faults that are answered for, row by row, and the tests that prove it (docs/faults.md)."""

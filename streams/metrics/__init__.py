"""The metrics: pure functions from facts to values. One module each, which says in words what it computes."""

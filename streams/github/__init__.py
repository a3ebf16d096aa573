"""What GitHub's events tell, part by part; ``streams.transformers.github`` has the table of events."""

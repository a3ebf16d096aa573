"""The way in: HTTP to Kafka. Accept, authenticate, name, publish durably."""

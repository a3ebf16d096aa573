"""The way in: HTTP to Kafka. Accept, check, publish durably."""

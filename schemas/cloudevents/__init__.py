"""CloudEvents 1.0.2: the event, and the HTTP and Kafka bindings that this project reads and writes."""

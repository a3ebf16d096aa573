"""Native webhooks: one module per provider, which authenticates a request and makes it a CloudEvent."""

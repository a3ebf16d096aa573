"""Who may enter, and how the rooms enter Kafka and PostgreSQL: tokens, issuers, TLS and SASL."""

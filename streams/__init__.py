"""Kafka to Kafka to PostgreSQL: route, transform, record, measure. The only room that imports Faust."""

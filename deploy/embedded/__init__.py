"""Apache Kafka and PostgreSQL themselves, from the package registries: no Docker, no Java, no apt.

For one terminal (`./dora up`), tests and benchmarks. Production runs its own brokers and databases.
"""

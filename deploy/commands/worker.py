"""Run one worker: transforms, records and measures what arrived."""


def worker() -> None:
    """Run one worker: transforms, records and measures what arrived.

    Configured by the environment; it logs to standard error and ends cleanly on SIGTERM.

    \b
    Settings:
      DORA_KAFKA          bootstrap servers, comma separated
      DORA_KAFKA_SECURITY SSL or SASL_SSL, with passwords and certificates (docs/security.md)
      DORA_POSTGRES       PostgreSQL URL of the role that writes
      DORA_TOPIC_PREFIX   put before every topic's name
      DORA_PARTITIONS     the partitions of every topic (8)
      DORA_ROUTES         YAML file: event type to targets
      DORA_CATALOG        YAML file: services, teams, environments
      DORA_TIMEZONE       the zone of the windowed tables
      DORA_STATE_DIR      the folder of its tables, its own for each worker
      DORA_WORKER_PORT    the port of its health endpoints, 0 for a free one
      DORA_PORT_FILE      a file that the bound port is written to once it listens

    \b
    Example:
      DORA_KAFKA=broker:9092 DORA_POSTGRES=postgresql://dora@db/dora dora worker
    """
    from deploy.garbage import collect_seldom
    from deploy.logs import configure
    from deploy.processes import settings_from_environment
    from streams.settings import Settings
    from streams.worker import run

    configure()
    collect_seldom()
    run(settings_from_environment(Settings))

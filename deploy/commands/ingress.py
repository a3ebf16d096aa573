"""Run the HTTP ingress: CloudEvents in, confirmed by Kafka."""


def ingress() -> None:
    """Run the HTTP ingress: CloudEvents in, confirmed by Kafka.

    Configured by the environment; it logs to standard error and ends cleanly on SIGTERM.

    \b
    Settings:
      DORA_KAFKA          bootstrap servers, comma separated
      DORA_KAFKA_SECURITY SSL or SASL_SSL, with passwords and certificates (docs/security.md)
      DORA_TOPIC_PREFIX   put before every topic's name
      DORA_HOST           the address to listen on
      DORA_PORT           the port to listen on, 0 for a free one
      DORA_PORT_FILE      a file that the bound port is written to once it listens
      DORA_OPEN           true: events are taken without a token; false: never
      DORA_INGRESS_TOKENS, DORA_INGRESS_TOKENS_FILE
                          tokens of those who may send events, or a file of them
      DORA_INGRESS_CORRECTION_TOKENS, DORA_INGRESS_CORRECTION_TOKENS_FILE
                          tokens of those who may send corrections, too
    Whose signed tokens count as well, and all other settings: docs/ingress.md

    \b
    Example:
      DORA_KAFKA=broker:9092 dora ingress
    """
    from deploy.garbage import collect_seldom
    from deploy.logs import configure
    from deploy.processes import settings_from_environment
    from ingress.app import serve
    from ingress.settings import Settings

    configure()
    collect_seldom()
    serve(settings_from_environment(Settings))

"""Run the query API and the dashboard."""


def query() -> None:
    """Run the query API and the dashboard.

    Configured by the environment; it logs to standard error and ends cleanly on SIGTERM.

    \b
    Settings:
      DORA_POSTGRES       PostgreSQL URL of a role that reads
      DORA_CATALOG        YAML file: services, teams, environments
      DORA_TIMEZONE       the zone of answers
      DORA_INGRESS_URL    the ingress; with it pages can send corrections and the samples there
      DORA_QUERY_AUTH     how callers prove who they are: keys, oidc, or keys,oidc
      DORA_OPEN           true: whoever reaches DORA_HOST may read everything
      DORA_HOST           the address to listen on; 127.0.0.1 without it
      DORA_PORT           the port to listen on, 0 for a free one
      DORA_PORT_FILE      a file that the bound port is written to once it listens

    \b
    Examples:
      DORA_POSTGRES=postgresql://dora_query@db/dora dora query
      DORA_POSTGRES=... DORA_HOST=0.0.0.0 DORA_QUERY_AUTH=keys dora query
    """
    from deploy.garbage import collect_seldom
    from deploy.logs import configure
    from deploy.processes import settings_from_environment
    from deploy.samples.player import play
    from query.app import serve
    from query.settings import Settings

    configure()
    collect_seldom()
    serve(settings_from_environment(Settings), play)

"""Create, list and revoke API keys of the query API."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from access.keys import RIGHTS

if TYPE_CHECKING:
    from rich.text import Text

DURATION = re.compile(r"([1-9][0-9]{0,4})([hdw])")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")

Postgres = Annotated[
    str, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of the tables' owner.", show_envvar=True)
]

keys = typer.Typer(
    help="""Create, list and revoke API keys of the query API.

    \b
    Examples:
      dora keys create dashboard --team shop --expires 90d
      dora keys list
      dora keys revoke ID
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what uses it, for the list and the log.")],
    *,
    postgres: Postgres,
    team: Annotated[
        list[str] | None, typer.Option(help="Show it this team's services alone; may be repeated.")
    ] = None,
    right: Annotated[
        list[str] | None,
        typer.Option(help="metrics: numbers and their facts. events: also what came in. Both without it."),
    ] = None,
    expires: Annotated[str, typer.Option(help="How long it is valid: 12h, 90d, 8w.")] = "",
) -> None:
    """Create a key and print it, once: it cannot be had again.

    The key is the only thing on standard output. Send it as `Authorization: Bearer dora_...`.

    \b
    Examples:
      dora keys create grafana --expires 90d
      dora keys create storefront-ci --team storefront --right metrics
      KEY=$(dora keys create me)
    """
    import asyncio
    import sys

    from deploy import keys as work

    teams, rights = team or [], right or list(RIGHTS)
    for value, option in ((name, "NAME"), *((each, "--team") for each in teams)):
        if not PRINTABLE.fullmatch(value) or len(value) > work.LONGEST_NAME:
            told = f"1 to {work.LONGEST_NAME} characters, none of them a control character"
            raise typer.BadParameter(told, param_hint=option)
    if unknown := sorted(set(rights) - set(RIGHTS)):
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(RIGHTS)}", param_hint="--right")
    lifetime = _duration(expires)
    text, made = asyncio.run(work.create(postgres, name, teams=teams, rights=rights, expires=lifetime))
    typer.echo(text)
    sees = "everything" if made.teams is None else f"the services of {', '.join(made.teams)}"
    until = "without end" if made.expires_at is None else f"until {_told(made.expires_at)}"
    sys.stderr.write(
        f"key {made.key_id} ({made.name}) sees {sees}, {until}. It is shown this once; "
        f"`dora keys revoke {made.key_id}` ends it\n"
    )


@keys.command("list")
def list_keys(*, postgres: Postgres) -> None:
    """List the keys, without their secrets.

    \b
    Example:
      dora keys list
    """
    import asyncio
    import sys

    from rich.console import Console
    from rich.table import Table

    from deploy import keys as work

    found, now = asyncio.run(work.listed(postgres)), datetime.now(UTC)
    if not found:
        sys.stderr.write("there are no keys yet: dora keys create NAME\n")
        return
    table = Table("id", "name", "teams", "rights", "created", "expires", "state", box=None, pad_edge=False)
    for key in found:
        table.add_row(
            key.key_id,
            # Not as a string: rich would take [brackets] in a name for markup.
            *map(_plain, (key.name, ", ".join(key.teams or ()) or "all", ", ".join(key.rights))),
            _told(key.created_at),
            "never" if key.expires_at is None else _told(key.expires_at),
            key.state(now),
        )
    # Too wide for a terminal is better than an id that is cut.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as `dora keys list` shows it.")],
    *,
    postgres: Postgres,
) -> None:
    """End a key. Query processes that know it take it for some seconds more, 5 at most.

    \b
    Example:
      dora keys revoke 3f9k2m81qz
    """
    import asyncio

    from access.keys import looks_like_key
    from deploy import keys as work

    if looks_like_key(key_id):
        # Whoever has only the key itself shall not have to take it apart; it is not printed again.
        key_id = key_id.split("_")[1]
    done = asyncio.run(work.revoke(postgres, key_id))
    typer.echo(f"revoked {done.key_id} ({done.name})")


def _duration(text: str) -> timedelta | None:
    if not text:
        return None
    match = DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration such as 12h, 90d or 8w", param_hint="--expires")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _plain(text: str) -> "Text":
    from rich.text import Text

    return Text(text)


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M")

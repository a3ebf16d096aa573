"""Write the dependency locks anew (for maintainers)."""

from typing import Annotated

import typer


def locks(
    *,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Move to the newest allowed versions.")] = False,
) -> None:
    """Write the dependency locks anew (for maintainers).

    \b
    Examples:
      ./dora locks              after a change of pyproject.toml
      ./dora locks --upgrade
    """
    from deploy.locks import main

    main(["--upgrade"] if upgrade else [])

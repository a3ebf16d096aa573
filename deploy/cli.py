"""The `dora` command. Each module of `deploy.commands` is one command, found by its name.

Exit 0 ok, 1 failed, 2 usage. Results go to standard output, progress and logs to standard error. Only the
module of the command that is asked for is imported, so that help and mistakes are answered at once.
"""

import ast
import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from deploy import commands

FAILED, INTERRUPTED = 1, 130
# Commands that serve until they are asked to end, which is their good end.
PROCESSES = {"ingress", "worker", "query", "function"}
OUR_ROOMS = {"deploy", "ingress", "streams", "query", "access", "schemas"}


def available() -> dict[str, str]:
    """Every command by name, with the name of its module."""
    modules = (module.name for module in pkgutil.iter_modules(commands.__path__))
    # A module cannot be called `import`, so `import_` is.
    return {name.rstrip("_").replace("_", "-"): name for name in sorted(modules) if not name.startswith("_")}


def summary(module: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    source = Path(commands.__path__[0], f"{module}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def application(asked: str | None) -> typer.Typer:
    """The command line; only the command ``asked`` for is more than its name and its summary."""
    app = typer.Typer(
        help="CloudEvents in, DORA metrics out. Begin with `dora demo` or `dora up`.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(lambda: None)  # one command alone would otherwise lose its name
    for name, module in available().items():
        if name == asked:
            add(app, name, module)
        else:
            app.command(name, help=summary(module))(lambda: None)
    return app


def add(app: typer.Typer, name: str, module: str) -> None:
    """Register a command with its options, or a group of commands.

    A command's module may say how its context differs in CONTEXT.
    """
    imported = import_module(f"{commands.__name__}.{module}")
    found: Callable[..., Any] | typer.Typer = getattr(imported, module)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
        return
    app.command(name, context_settings=getattr(imported, "CONTEXT", None))(found)


def told(error: Exception) -> str:
    """What the user is told: our own errors and the system's explain themselves."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if type(error).__module__.partition(".")[0] in OUR_ROOMS or isinstance(error, OSError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error} (DORA_DEBUG=1 shows where)"


def end_when_asked() -> None:
    """Exit 0 on SIGTERM and Ctrl-C while a process starts; once it serves it has handlers of its own."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def main() -> None:
    """Run the command that the arguments name."""
    arguments = sys.argv[1:]
    asked = next((word for word in arguments if not word.startswith("-")), None)
    if asked in PROCESSES:
        end_when_asked()
    try:
        application(asked)(arguments, prog_name="dora")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # the last stop before a user sees a stack trace
        if os.environ.get("DORA_DEBUG"):
            raise
        sys.stderr.write(f"dora: {told(error)}\n")
        sys.exit(FAILED)


if __name__ == "__main__":
    main()

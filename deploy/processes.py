"""What the server processes (`dora ingress`, `worker`, `query`) have in common."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound=BaseSettings)


class SettingsError(Exception):
    """The environment holds something that a process cannot work with."""


def settings_from_environment(kind: type[Settings], **given: Any) -> Settings:
    """The settings of a process; raises `SettingsError` naming each variable that is missing or wrong.

    What is ``given`` comes from the command line and goes before the environment.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        faults = [explain(prefix, fault["loc"], fault["msg"]) for fault in error.errors()]
        raise SettingsError("; ".join(faults)) from None


def explain(prefix: str, place: tuple[int | str, ...], message: str) -> str:
    """One wrong variable in words. The value is left out: it may be a secret."""
    message = message.removeprefix("Value error, ")
    if not place:  # a rule over several settings, which names them itself
        return message
    name = "__".join(str(part) for part in place).upper()
    return f"{prefix}{name}: {message[:1].lower()}{message[1:]}"

"""Secrets from the environment: lists in variables, or in files that variables name.

Those of web hooks are in ``DORA_WEBHOOK_<PROVIDER>_SECRETS`` or a file named by ``..._SECRETS_FILE``.

Several are valid at once, so that one can be replaced: add the new, change the sender, remove the old.
Nothing here ever shows a secret: neither messages nor ``repr``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_VARIABLE = re.compile(r"DORA_WEBHOOK_(?P<provider>.+?)_SECRET(?P<several>S?)(?P<file>_FILE)?")


class MisconfiguredSecrets(ValueError):
    """The environment asks for secrets that cannot be checked with; the message says what to set."""


class SecretsUnavailable(Exception):
    """The secrets cannot be read now. Nothing may be accepted until they can."""


class Secrets(Protocol):
    """The secrets of one provider."""

    def current(self) -> Sequence[bytes]:
        """All secrets that are valid now, at least one. Raises ``SecretsUnavailable``."""


class FixedSecrets:
    """Secrets that stay as long as the process."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = tuple(value for each in values if (value := each.strip()))

    def current(self) -> Sequence[bytes]:
        """The secrets; there were some, or the process would not have started."""
        if not self._values:
            raise SecretsUnavailable("it holds no secret")
        return self._values


class FileSecrets:
    """Secrets in a file, one a line.

    The file is read for every delivery: that takes microseconds, and a secret that was taken out of it never
    counts again, however fast the clock of its times ticks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def current(self) -> Sequence[bytes]:
        """The secrets in the file as it is now; what was in it before counts for nothing."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise SecretsUnavailable(f"it cannot be read ({error.strerror})") from None
        values = tuple(value for line in lines if (value := line.strip()))
        if not values:
            raise SecretsUnavailable("it holds no secret")
        return values


def secrets_of(environment: Mapping[str, str], providers: Iterable[str]) -> dict[str, Secrets]:
    """The secrets that the environment gives to each of ``providers``; those without any are not in it.

    Raises ``MisconfiguredSecrets`` for a provider that does not exist, for two places at once, and for a
    place that holds no secret or cannot be read.
    """
    names = {provider.upper().replace("-", "_"): provider for provider in providers}
    found: dict[str, Secrets] = {}
    for variable in sorted(environment):
        match = _VARIABLE.fullmatch(variable)
        if match is None:
            continue
        provider = _provider(variable, match, names)
        if provider in found:
            raise MisconfiguredSecrets(f"{variable}: the secrets of {provider} are given twice; keep one")
        found[provider] = readable(variable, environment[variable], in_file=match["file"] is not None)
    return found


def _provider(variable: str, match: re.Match[str], names: Mapping[str, str]) -> str:
    if not match["several"]:
        right = f"DORA_WEBHOOK_{match['provider']}_SECRETS{match['file'] or ''}"
        raise MisconfiguredSecrets(f"{variable}: there may be several secrets; call it {right}")
    if match["provider"] not in names:
        known = ", ".join(sorted(names.values()))
        raise MisconfiguredSecrets(f"{variable}: there is no such web hook; there are: {known}")
    return names[match["provider"]]


def readable(variable: str, value: str, *, in_file: bool) -> Secrets:
    """The secrets that ``value`` holds, or the file that it names. Raises ``MisconfiguredSecrets``."""
    secrets: Secrets = FileSecrets(Path(value)) if in_file else FixedSecrets(value.encode().split(b","))
    try:
        secrets.current()
    except SecretsUnavailable as error:
        advice = "write one secret a line into the file" if in_file else "set it, several with commas between"
        raise MisconfiguredSecrets(f"{variable}: {error}; {advice}, or remove the variable") from None
    return secrets

"""Finding the providers of web hooks: every module of ``ingress.webhooks`` that has a ``provider``."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

import ingress.webhooks
from ingress.secrets import Secrets, secrets_of
from ingress.webhooks.provider import Provider


class DuplicateProvider(RuntimeError):
    """Two modules offer a provider of the same name."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A provider that this installation takes web hooks from."""

    provider: Provider
    secrets: Secrets


def find_providers() -> dict[str, Provider]:
    """The providers by name. Raises ``DuplicateProvider`` naming both modules."""
    found: dict[str, Provider] = {}
    modules: dict[str, str] = {}
    for info in pkgutil.iter_modules(ingress.webhooks.__path__):
        provider = getattr(importlib.import_module(f"ingress.webhooks.{info.name}"), "provider", None)
        if not isinstance(provider, Provider):
            continue
        name = provider.name
        if name in found:
            raise DuplicateProvider(f"{info.name} and {modules[name]} are both called {name!r}")
        found[name], modules[name] = provider, info.name
    return found


def webhooks_of(environment: Mapping[str, str]) -> dict[str, Webhook]:
    """The web hooks that ``environment`` gives secrets for. Raises ``MisconfiguredSecrets``."""
    providers = find_providers()
    secrets = secrets_of(environment, providers)
    return {name: Webhook(providers[name], secrets[name]) for name in secrets}

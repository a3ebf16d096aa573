"""Who is let in, from the settings and the environment. Nobody is by oversight: that stops the start."""

from collections.abc import Mapping

from access.issuers import Issuer
from access.trust import TrustedIssuer, is_local
from ingress.callers import EVENTS, EVERYTHING, NOTHING, Callers, Federation, Right, Subjects
from ingress.secrets import Secrets, readable
from ingress.settings import Settings

SHORTEST = 16  # bytes of a token; shorter ones could be guessed
RIGHTS: Mapping[str, frozenset[Right]] = {
    "DORA_INGRESS_TOKENS": EVENTS,
    "DORA_INGRESS_CORRECTION_TOKENS": EVERYTHING,
}


class MisconfiguredCallers(ValueError):
    """The settings leave open who may send, or cannot be worked with; the message says what to set."""


def callers_of(environment: Mapping[str, str], settings: Settings) -> Callers:
    """Who may send events.

    Raises ``MisconfiguredCallers``, ``MisconfiguredSecrets`` and ``MisconfiguredIssuer``.
    """
    tokens = [
        (_long_enough(variable, found), granted)
        for variable, granted in RIGHTS.items()
        if (found := _tokens(environment, variable)) is not None
    ]
    federation = _federation(settings)
    restricted = bool(tokens) or federation is not None
    return Callers(_anonymous(settings, restricted=restricted), tokens, federation)


def _anonymous(settings: Settings, *, restricted: bool) -> frozenset[Right]:
    """The rights of who shows no token. Corrections are never open to other machines."""
    local = is_local(settings.host.lower())
    if settings.open is False or (settings.open is None and restricted):
        return NOTHING
    if settings.open is None and not local:
        raise MisconfiguredCallers(
            f"DORA_HOST={settings.host} can be reached from other machines, and nothing says who may send"
            " events: set DORA_INGRESS_TOKENS_FILE or DORA_INGRESS_OIDC_ISSUER; or DORA_OPEN=true if"
            " everybody may, or DORA_OPEN=false if it takes web hooks alone"
        )
    return EVERYTHING if local else EVENTS


def _tokens(environment: Mapping[str, str], variable: str) -> Secrets | None:
    in_file = f"{variable}_FILE"
    named = [name for name in (variable, in_file) if environment.get(name)]
    if len(named) > 1:
        raise MisconfiguredCallers(f"{variable} and {in_file} are both set; keep one")
    return readable(named[0], environment[named[0]], in_file=named[0] == in_file) if named else None


def _long_enough(variable: str, tokens: Secrets) -> Secrets:
    if any(len(token) < SHORTEST for token in tokens.current()):
        raise MisconfiguredCallers(
            f"{variable}: a token has at least {SHORTEST} characters; make one with `openssl rand -hex 32`"
        )
    return tokens


def _federation(settings: Settings) -> Federation | None:
    if settings.ingress_oidc_issuer is None:
        return None
    trusted = TrustedIssuer(
        settings.ingress_oidc_issuer,
        _listed(settings.ingress_oidc_audience),
        settings.ingress_oidc_keys_url,
        settings.ingress_oidc_ca_file,
        settings.ingress_oidc_token_file,
    )
    senders = _listed(settings.ingress_oidc_subjects)
    correctors = _listed(settings.ingress_oidc_correction_subjects)
    return Federation(Issuer(trusted), Subjects(senders) if senders else None, Subjects(correctors))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name for each in text.split(",") if (name := each.strip()))

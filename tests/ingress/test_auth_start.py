"""What the settings say of callers: nobody is let in by oversight."""

from typing import Any

import pytest

from access.trust import MisconfiguredIssuer
from ingress.admission import MisconfiguredCallers, callers_of
from ingress.callers import EVENTS, EVERYTHING, NOTHING
from ingress.secrets import MisconfiguredSecrets
from ingress.settings import Settings
from tests.infra.commands import dora
from tests.ingress.calling import SENDER


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "dora.example.com", ""])  # noqa: S104
def test_an_ingress_that_others_reach_does_not_start_open_by_oversight(host: str):
    with pytest.raises(MisconfiguredCallers, match="DORA_OPEN=true if everybody may"):
        callers_of({}, Settings(host=host or "0.0.0.0"))  # noqa: S104


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "LocalHost", "127.8.0.1"])
def test_on_this_machine_everybody_may_send_everything(host: str):
    assert callers_of({}, Settings(host=host)).anonymous == EVERYTHING


@pytest.mark.parametrize(
    ("settings", "environment", "anonymous"),
    [
        ({"host": "0.0.0.0", "open": True}, {}, EVENTS),  # noqa: S104
        ({"host": "0.0.0.0", "open": False}, {}, NOTHING),  # noqa: S104
        ({"host": "0.0.0.0"}, {"DORA_INGRESS_TOKENS": SENDER}, NOTHING),  # noqa: S104
        ({"host": "0.0.0.0", "open": True}, {"DORA_INGRESS_CORRECTION_TOKENS": SENDER}, EVENTS),  # noqa: S104
        ({}, {"DORA_INGRESS_TOKENS": SENDER}, NOTHING),
        ({"open": False}, {}, NOTHING),
        ({"open": True}, {}, EVERYTHING),
        ({"ingress_oidc_issuer": "https://i.example", "ingress_oidc_audience": "a"}, {}, NOTHING),
    ],
)
def test_what_is_set_says_who_may_send(settings: Any, environment: Any, anonymous: Any):
    assert callers_of(environment, Settings(**settings)).anonymous == anonymous


@pytest.mark.parametrize(
    ("environment", "error", "says"),
    [
        ({"DORA_INGRESS_TOKENS": " , "}, MisconfiguredSecrets, "TOKENS: it holds no secret"),
        ({"DORA_INGRESS_TOKENS": "s3cret"}, MisconfiguredCallers, "at least 16 characters"),
        ({"DORA_INGRESS_TOKENS": f"{SENDER},s3cret"}, MisconfiguredCallers, "at least 16 characters"),
        ({"DORA_INGRESS_TOKENS_FILE": "/nowhere/x"}, MisconfiguredSecrets, "TOKENS_FILE: it cannot be read"),
        ({"DORA_INGRESS_TOKENS": SENDER, "DORA_INGRESS_TOKENS_FILE": "/x"}, MisconfiguredCallers, "both set"),
        ({"DORA_INGRESS_CORRECTION_TOKENS_FILE": "/"}, MisconfiguredSecrets, "it cannot be read"),
    ],
)
def test_a4_a14_tokens_that_cannot_be_checked_stop_the_start(environment: Any, error: Any, says: str):
    with pytest.raises(error, match=says) as stopped:
        callers_of(environment, Settings())
    assert "s3cret" not in str(stopped.value)
    assert SENDER not in str(stopped.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"ingress_oidc_issuer": "http://issuer.example", "ingress_oidc_audience": "dora"},
        {"ingress_oidc_issuer": "https://issuer.example"},
        {"ingress_oidc_issuer": "https://issuer.example", "ingress_oidc_audience": " , "},
        {"ingress_oidc_issuer": "https://i.example", "ingress_oidc_audience": "a",
         "ingress_oidc_keys_url": "http://i.example/keys"},
        {"ingress_oidc_issuer": "https://i.example", "ingress_oidc_audience": "a",
         "ingress_oidc_ca_file": "/nowhere/ca.crt"},
    ],
)  # fmt: skip
def test_an_issuer_that_cannot_be_trusted_stops_the_start(settings: Any):
    with pytest.raises(MisconfiguredIssuer):
        callers_of({}, Settings(**settings))


@pytest.mark.parametrize("name", ["audience", "subjects", "correction_subjects", "keys_url", "ca_file"])
def test_settings_of_an_issuer_that_is_not_named_stop_the_start(name: str):
    with pytest.raises(ValueError, match="DORA_INGRESS_OIDC_ISSUER"):
        Settings(**{f"ingress_oidc_{name}": "x"})


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"DORA_HOST": "0.0.0.0"}, "DORA_HOST=0.0.0.0 can be reached from other machines"),  # noqa: S104
        ({"DORA_INGRESS_TOKENS_FILE": "/nowhere/s3cret"}, "DORA_INGRESS_TOKENS_FILE: it cannot be read"),
        ({"DORA_OPEN": "s3cret"}, "DORA_OPEN: "),
    ],
)
def test_a4_a14_the_command_says_what_to_set_and_ends(environment: dict[str, str], says: str):
    ended = dora("ingress", **environment, DORA_PORT="0")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"dora: {says}")
    assert ended.stderr.count("\n") == 1
    assert "s3cret" not in ended.stderr

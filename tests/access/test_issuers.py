"""Asking a real issuer over HTTP: when, how often, and what counts while it does not answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from access import discovery, issuers
from access.issuers import COOLDOWN, EXPIRY, REFRESH, Issuer, IssuerUnavailable
from access.tokens import NotAuthentic
from access.trust import MisconfiguredIssuer, TrustedIssuer
from tests.access.certificates import authority, server_context
from tests.access.issuing import AUDIENCE, SUBJECT, Answering, answering, public_jwk


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def remote() -> AsyncIterator[Answering]:
    async with answering() as remote:
        yield remote


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(remote: Answering, clock: Clock) -> AsyncIterator[Issuer]:
    issuer = trusting(remote, clock)
    yield issuer
    await issuer.close()


def trusting(remote: Answering, clock: Clock | None = None, **settings: Any) -> Issuer:
    return Issuer(TrustedIssuer(remote.url, (AUDIENCE,), **settings), monotonic=clock or Clock())


async def refused(issuer: Issuer, token: str) -> str:
    with pytest.raises(NotAuthentic) as error:
        await issuer.verify(token)
    return error.value.reason


async def test_keys_are_found_by_discovery_and_asked_for_once(issuer: Issuer, remote: Answering) -> None:
    for _ in range(3):
        assert (await issuer.verify(remote.token()))["sub"] == SUBJECT
    assert remote.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_keys_can_be_asked_for_before_they_are_needed(issuer: Issuer, remote: Answering) -> None:
    remote.delay = 0.05
    issuer.prepare()
    assert await issuer.verify(remote.token())
    assert remote.asked_for_keys == 1
    remote.delay = 60
    ended = trusting(remote)
    ended.prepare()
    async with asyncio.timeout(1):
        await ended.close()


async def test_keys_at_a_known_address_need_no_discovery(remote: Answering) -> None:
    assert await trusting(remote, keys_url=f"{remote.url}/keys").verify(remote.token())
    assert remote.asked == ["/keys"]


async def test_q4_requests_at_the_same_time_share_one_answer(issuer: Issuer, remote: Answering) -> None:
    remote.delay = 0.05
    tokens = [remote.token() for _ in range(50)]
    assert len(await asyncio.gather(*(issuer.verify(token) for token in tokens))) == 50
    assert remote.asked_for_keys == 1


async def test_q4_unknown_keys_cause_one_question_and_no_stampede(
    issuer: Issuer, remote: Answering, clock: Clock
) -> None:
    await issuer.verify(remote.token())
    clock.now += COOLDOWN
    remote.delay = 0.05
    made_up = [remote.token(number=number % 5 + 1) for number in range(100)]
    outcomes = await asyncio.gather(*(refused(issuer, token) for token in made_up))
    assert set(outcomes) == {"key"}
    assert remote.asked_for_keys == 2
    for token in made_up:
        assert await refused(issuer, token) == "key"
    assert remote.asked_for_keys == 2
    clock.now += COOLDOWN
    assert await refused(issuer, made_up[0]) == "key"
    assert remote.asked_for_keys == 3


async def test_q4_nothing_is_asked_for_what_is_no_token(issuer: Issuer, remote: Answering) -> None:
    for token in ("", "x", "a.b.c", "x" * 1_000_000, remote.token() + "é"):
        assert await refused(issuer, token) == "malformed"
    assert remote.asked == []


async def test_a_new_key_counts_as_soon_as_it_is_used(
    issuer: Issuer, remote: Answering, clock: Clock
) -> None:
    await issuer.verify(remote.token())
    remote.keys = [public_jwk("RS256", 1)]
    clock.now += COOLDOWN
    assert await issuer.verify(remote.token(number=1))
    assert await refused(issuer, remote.token()) == "key"


async def test_a_withdrawn_key_stops_counting_without_anybody_waiting(
    issuer: Issuer, remote: Answering, clock: Clock
) -> None:
    await issuer.verify(remote.token())
    remote.keys, remote.delay = [public_jwk("ES256")], 0.05
    clock.now += REFRESH + 1
    async with asyncio.timeout(0.04):
        assert await issuer.verify(remote.token())  # with the key that is known, while asking
    assert await issuer.verify(remote.token("ES256"))
    assert await refused(issuer, remote.token()) == "key"
    assert remote.asked_for_keys == 2


async def test_q4_an_issuer_that_is_down_with_nothing_known_is_unavailable(
    issuer: Issuer, remote: Answering, clock: Clock
) -> None:
    remote.status = 500
    for _ in range(5):
        with pytest.raises(IssuerUnavailable):
            await issuer.verify(remote.token())
    assert len(remote.asked) == 1
    remote.status = 200
    clock.now += COOLDOWN
    assert await issuer.verify(remote.token())


async def test_q4_keys_that_are_known_go_on_while_the_issuer_is_down(
    issuer: Issuer, remote: Answering, clock: Clock
) -> None:
    await issuer.verify(remote.token())
    remote.status = 503
    for _ in range(10):
        clock.now += REFRESH
        assert await issuer.verify(remote.token())
    # It may have signed this with a key that we cannot learn now.
    clock.now += COOLDOWN
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token(number=1))


async def test_q4_keys_do_not_go_on_for_ever(issuer: Issuer, remote: Answering, clock: Clock) -> None:
    await issuer.verify(remote.token())
    remote.status = 503
    clock.now += EXPIRY + 1
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token())


async def test_q4_an_issuer_that_does_not_answer_in_time_is_unavailable(
    issuer: Issuer, remote: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "TIMEOUT", 0.1)
    remote.delay = 10
    with capture_logs() as logs, pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token())
    assert logs[0]["reason"] == "timed out"


async def test_q4_nobody_listens_there() -> None:
    async with answering() as gone:
        pass
    with pytest.raises(IssuerUnavailable):
        await trusting(gone).verify(gone.token())


async def test_a_client_that_goes_away_does_not_end_it_for_the_others(
    issuer: Issuer, remote: Answering
) -> None:
    remote.delay = 0.05
    first, second = (asyncio.create_task(issuer.verify(remote.token())) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second)["sub"] == SUBJECT
    assert remote.asked_for_keys == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "names another issuer"),
        ({"jwks_uri": "http://keys.example/keys"}, "without https"),
        ({"jwks_uri": "file:///etc/passwd"}, "without https"),
        ({"jwks_uri": None}, "without https"),
        ({"jwks_uri": ["https://a.example"]}, "without https"),
        ({"jwks_uri": "https://user:password@keys.example"}, "without https"),
    ],
)
async def test_q4_discovery_cannot_lead_elsewhere(
    issuer: Issuer, remote: Answering, told: dict[str, Any], words: str
) -> None:
    remote.discovery = told
    with capture_logs() as logs, pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token())
    assert words in logs[0]["reason"]
    assert remote.asked_for_keys == 0


async def test_q4_a_redirect_is_not_followed(issuer: Issuer, remote: Answering) -> None:
    remote.status = 302
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token())
    assert remote.asked_for_keys == 0


@pytest.mark.parametrize(
    "body",
    [b"no json", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, null, "x"]}',
     json.dumps({"keys": ["x" * discovery.LARGEST]}).encode(), b"[" * 100_000],
)  # fmt: skip
async def test_q4_an_answer_without_keys_is_none(issuer: Issuer, remote: Answering, body: bytes) -> None:
    remote.body = body
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(remote.token())


@pytest.mark.parametrize(
    "url",
    ["http://issuer.example", "http://10.0.0.1", "ftp://127.0.0.1", "issuer.example", "", "https://",
     "http://127.0.0.1.evil.example", "https://user:secret@issuer.example", "https://issuer.example?a=b",
     "https://[::1", "http://localhost.evil.example"],
)  # fmt: skip
def test_q4_keys_over_http_stop_the_start(url: str) -> None:
    for settings in ({"url": url}, {"url": "https://issuer.example", "keys_url": url}):
        with pytest.raises(MisconfiguredIssuer) as error:
            TrustedIssuer(audiences=(AUDIENCE,), **settings)
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8", "http://localhost", "http://[::1]:8", "https://a.example/b"]
)
def test_https_and_this_machine_are_trusted(url: str) -> None:
    assert TrustedIssuer(url, (AUDIENCE,))


@pytest.mark.parametrize("audiences", [(), ("",), (AUDIENCE, "")])
def test_an_audience_has_to_be_named(audiences: tuple[str, ...]) -> None:
    with pytest.raises(MisconfiguredIssuer, match="audience"):
        TrustedIssuer("https://issuer.example", audiences)


def test_files_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    empty, no_certificate = tmp_path / "empty", tmp_path / "text"
    empty.touch()
    no_certificate.write_text("no certificate")
    for name, file in (("ca_file", tmp_path / "none"), ("ca_file", no_certificate), ("token_file", empty)):
        with pytest.raises(MisconfiguredIssuer, match=file.name):
            TrustedIssuer("https://issuer.example", (AUDIENCE,), **{name: file})


async def test_a_cluster_with_its_own_authority_that_wants_to_know_who_asks(tmp_path: Path) -> None:
    """As the API server of Kubernetes: a private authority, and keys for service accounts only."""
    cluster, stranger = authority(tmp_path / "cluster"), authority(tmp_path / "stranger")
    token_file = tmp_path / "token"
    token_file.write_text("own-token\n")
    async with answering(server_context(cluster, tmp_path)) as remote:
        remote.bearer = "own-token"
        settings = {"ca_file": cluster.file, "token_file": token_file}
        assert (await trusting(remote, **settings).verify(remote.token()))["sub"] == SUBJECT
        for wrong in ({"ca_file": stranger.file}, {"ca_file": None}, {"token_file": None}):
            with pytest.raises(IssuerUnavailable):
                await trusting(remote, **settings | wrong).verify(remote.token())
        clock = Clock()
        renewing = trusting(remote, clock, **settings)
        token_file.unlink()
        with pytest.raises(IssuerUnavailable):
            await renewing.verify(remote.token())
        token_file.write_text("replaced")
        remote.bearer = "replaced"
        clock.now += COOLDOWN
        assert await renewing.verify(remote.token())


async def test_nothing_of_a_token_is_logged(tmp_path: Path, remote: Answering) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("own-secret")
    issuer = trusting(remote, token_file=token_file)
    with capture_logs() as logs:
        await issuer.verify(remote.token())
        await refused(issuer, remote.token(number=1))
        remote.status = 500
        with pytest.raises(IssuerUnavailable):
            await trusting(remote).verify(remote.token())
    text = json.dumps(logs)
    assert "issuer.keys" in text
    assert "issuer.unavailable" in text
    assert "own-secret" not in text
    assert remote.token().split(".")[0] not in text

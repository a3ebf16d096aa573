"""The demo asks nobody who they are, whatever the environment has for a pipeline that does."""

import pytest

from deploy.commands.demo import settings


def test_who_may_call_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("DORA_INGRESS_TOKENS", "a-token-of-sixteen-bytes")
    monkeypatch.setenv("DORA_QUERY_AUTH", "keys")
    monkeypatch.setenv("DORA_CATALOG", "mine.yaml")
    assert settings() == {"DORA_INGRESS_TOKENS": "", "DORA_QUERY_AUTH": "", "DORA_OPEN": "true"}
    told = capsys.readouterr().err
    assert "DORA_INGRESS_TOKENS, DORA_QUERY_AUTH" in told
    assert "a-token" not in told


def test_the_samples_bring_their_catalog(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.delenv("DORA_CATALOG", raising=False)
    assert settings()["DORA_CATALOG"].endswith("catalog.yaml")
    assert capsys.readouterr().err == ""

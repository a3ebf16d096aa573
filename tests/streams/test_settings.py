"""A worker's settings: what cannot work is refused at the start, and nothing secret is repeated."""

import pytest
from pydantic import ValidationError

from deploy.processes import SettingsError, settings_from_environment
from streams.settings import Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("DORA_")]:
        monkeypatch.delenv(name)


def test_nothing_has_to_be_set():
    settings = Settings()
    assert settings.topics["cloudevents"] == "cloudevents"
    assert settings.timezone is None


def test_a_function_may_not_take_longer_than_the_watchdogs_patience():
    with pytest.raises(ValidationError, match="function_timeout must be below stuck_after"):
        Settings(function_timeout=90, stuck_after=90)
    assert Settings(function_timeout=89, stuck_after=90).function_timeout == 89


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DORA_TIMEZONE", "Europe/Atlantis"),
        ("DORA_PARTITIONS", "0"),
        ("DORA_WORKER_PORT", "70000"),
        ("DORA_SESSION_TIMEOUT", "soon"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("DORA_POSTGRES", "postgresql://u:secret@h/d")
    with pytest.raises(SettingsError, match=name) as refused:
        settings_from_environment(Settings)
    assert "secret" not in str(refused.value)


def test_the_password_is_not_shown():
    assert "secret" not in repr(Settings(postgres="postgresql://u:secret@h/d"))


def test_prefix_and_partitions_make_the_topics():
    topics = Settings(topic_prefix="acme.", partitions=3).topics
    assert (topics["cdevents"], topics.partitions) == ("acme.cdevents", 3)

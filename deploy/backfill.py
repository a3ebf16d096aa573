"""Plays history from files through the ingress, in the order of the files, from where it stopped.

Events keep the times that they tell, so that they count on their own days. What the ingress has acknowledged
is remembered in a state file after every portion; a portion that was interrupted is sent again, which changes
nothing, because an event is recognised by its source and id. What can never be taken is kept in a file of
rejects.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson

from deploy.messages import Message, Unreadable, is_object, read_file
from deploy.sending import REPORTS, RETRIED, Answer, advice, send

ENDINGS = (".json", ".jsonl", ".ndjson")
PORTION = 500  # messages; what is sent again after an interruption is no more than this
TICK = 0.25  # seconds; with a rate, a portion is what may be sent in this time
# The ingress is away or overloaded, or knows nobody who sends: so it will answer what follows, too.
STOPS = frozenset(RETRIED | {0, 401})

Item = Message | Unreadable


class BackfillError(Exception):
    """It cannot go on; the message says what to do. What was acknowledged is remembered."""


class Source(Protocol):
    """What is played, and how it is recognised when the command is run again."""

    @property
    def digest(self) -> str:
        """The same as long as its items begin with the same."""
        ...

    def items(self) -> Iterator[Item]:
        """Its messages in order, and the places that hold none; always the same."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A file of events."""

    path: Path
    digest: str

    def items(self) -> Iterator[Item]:
        """Its messages in order, and the places that hold none."""
        with self.path.open("rb") as file:
            yield from read_file(str(self.path), file)


@dataclass(slots=True)
class State:
    """How many items of each file are done; kept in ``path``."""

    path: Path
    done: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "State":
        """The state that an earlier run left, or an empty one. Raises ``BackfillError`` for another file."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, {str(digest): int(number) for digest, number in content["done"].items()})
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackfillError(f"{path} is no state of a backfill; name another file with --state") from None

    def save(self) -> None:
        """Replace the file as a whole, so that a crash leaves the one before or this one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        beside.write_text(json.dumps({"done": self.done}), encoding="utf-8")
        beside.replace(self.path)


@dataclass(slots=True)
class Summary:
    """What became of the items of all files."""

    accepted: int = 0
    refused: int = 0
    already: int = 0
    untimed: int = 0
    earliest: str | None = None
    latest: str | None = None

    def count_time(self, item: Item) -> None:
        """Remember the time that an event tells, or that it tells none where it should."""
        if isinstance(item, Unreadable):
            return
        told = time_of(item)
        if told is None:
            self.untimed += 1
        elif told:
            self.earliest = min(self.earliest or told, told)
            self.latest = max(self.latest or told, told)


def files_of(names: Sequence[str]) -> list[File]:
    """The files that are named, and those in named folders, by name. Raises ``BackfillError``."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.suffix in ENDINGS and each.is_file())
            if not inside:
                raise BackfillError(f"{name} holds no {', '.join(ENDINGS)}; name the files themselves")
            found += inside
        else:
            found.append(path)
    return [File(path, _digest(path)) for path in dict.fromkeys(found)]


def _digest(path: Path) -> str:
    """Of its first event, when there is one a line: what is appended does not make it another file."""
    with path.open("rb") as file:
        begin = file.readline()
        if not is_object(begin):
            begin += file.read()
    return hashlib.sha256(f"{path.absolute()}\n".encode() + begin).hexdigest()


def time_of(message: Message) -> str | None:
    """The time of a CloudEvent or report; ``None`` when it tells none, empty for another web hook."""
    headers = {name.lower(): value for name, value in message.headers}
    if "ce-id" in headers:
        return headers.get("ce-time")
    if message.path != REPORTS and "cloudevents" not in headers.get("content-type", ""):
        return ""
    try:
        document = orjson.loads(message.body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(document, dict):
        return ""
    data = document.get("data")
    context = data.get("context") if isinstance(data, dict) else None
    within = context.get("timestamp") if isinstance(context, dict) else None  # a CDEvent's own
    told = document.get("time") or within
    # A report may count seconds; it is told, and not compared with text.
    return told if told is None or isinstance(told, str) else ""


class Rejects:
    """The file of what was refused: requests as ``dora send`` reads them, beside the reason."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, answers: Iterable[Answer]) -> None:
        """Append what was refused. Only its owner can read the file: requests may hold credentials."""
        lines = [orjson.dumps(_rejected(answer)) + b"\n" for answer in answers]
        if lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.writelines(lines)


def _rejected(answer: Answer) -> dict[str, Any]:
    item = answer.message
    told: dict[str, Any] = {"origin": item.origin, "status": answer.status, "reason": answer.reason}
    if isinstance(item, Unreadable):
        return told | {"text": item.text.decode(errors="replace")}
    return told | {
        "path": item.path,
        "headers": [list(header) for header in item.headers],
        "body": item.body.decode(errors="replace"),
    }


@dataclass(frozen=True, slots=True)
class Backfill:
    """One run over ``sources``. ``advance`` is told the bytes that are done, ``refuse`` each refusal."""

    sources: Sequence[Source]
    state: State
    rejects: Rejects
    url: str
    advance: Callable[[int], None]
    refuse: Callable[[Answer], None]
    connections: int = 8
    rate: float | None = None
    token: str | None = None
    patience: float = 60.0
    stops: Collection[int] = STOPS

    async def run(self, summary: Summary) -> None:
        """Send what is not done. Raises ``BackfillError`` where the ingress takes nothing any longer."""
        portion = PORTION if self.rate is None else max(1, int(self.rate * TICK))
        for source in self.sources:
            items = source.items()
            for item in islice(items, self.state.done.get(source.digest, 0)):
                summary.already += 1
                self.advance(item.weight)
            while part := list(islice(items, portion)):
                begun = time.monotonic()
                await self._send(source, part, summary)
                if self.rate is not None:
                    await asyncio.sleep(max(0.0, begun + len(part) / self.rate - time.monotonic()))

    async def _send(self, source: Source, part: Sequence[Item], summary: Summary) -> None:
        answers: list[Answer] = []

        def tell(answer: Answer) -> None:
            answers.append(answer)
            self.advance(answer.message.weight)

        await send(
            part,
            self.url,
            tell,
            connections=self.connections,
            patience=self.patience,
            token=self.token,
        )
        for answer in answers:
            if isinstance(answer.message, Message) and answer.status in self.stops:
                raise BackfillError(
                    f"{answer.message.origin}: {answer.status or 'no answer'}: {answer.reason}"
                    f"{advice(answer)}; run the same command again to go on from here"
                )
        refused = [answer for answer in answers if not answer.accepted]
        self.rejects.keep(refused)
        self.state.done[source.digest] = self.state.done.get(source.digest, 0) + len(part)
        self.state.save()
        summary.accepted += len(answers) - len(refused)
        summary.refused += len(refused)
        for item in part:
            summary.count_time(item)
        for answer in refused:
            self.refuse(answer)


def look(sources: Sequence[Source], refuse: Callable[[Answer], None]) -> Summary:
    """What a run would find in the files; nothing is sent."""
    summary = Summary()
    for source in sources:
        for item in source.items():
            summary.count_time(item)
            if isinstance(item, Unreadable):
                summary.refused += 1
                refuse(Answer(item, 0, item.reason))
            else:
                summary.accepted += 1
    return summary


def forget(path: Path) -> None:
    """Remove a state, so that the next run begins from the first event."""
    with suppress(FileNotFoundError):
        path.unlink()

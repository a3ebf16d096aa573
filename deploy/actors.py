"""How the names of persons are found in JSON and in text, and what stands in their place. Pure.

A name is a login, an e-mail address, or a name as it is shown. It is found, whatever its case, where it is
the whole of a string, a part of ``Name <mail>``, in quotation marks, or a mention (``@login``); an e-mail
address, which is nobody else's, anywhere in a text. It is not found inside another word, a path or a URL.
"""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

ERASED = "erased"
SHORTEST = 2  # characters; one alone stands in too many places
MAIL = re.compile(r"<([^<>\s]{1,320})>")
BEFORE = re.compile(r"[^<>,;:\n\"]*\Z")  # of a mail in brackets: the name, when it has one
LONGEST = 200  # characters of such a name
RUN = re.compile(r"[A-Za-z0-9]{2,}")
NO_RUN = r"%\\u%"  # JSON may write what is not ASCII as \uXXXX
# Escaped ASCII, and data that is no JSON: nothing can be said of these in SQL.
UNCLEAR = (r"%\\u00%", r'%"data\_base64"%')
Path = tuple[str | int, ...]


class Actors:
    """The names of one erasure. Raises ``ValueError`` for one that cannot be looked for."""

    def __init__(self, names: Iterable[str]) -> None:
        self._spelled = {composed(check(name)).strip() for name in names}
        self._names = {folded(name) for name in self._spelled}
        spellings = sorted(self._spelled | self._names, key=len, reverse=True)
        every = "|".join(map(re.escape, spellings))
        mails = "|".join(re.escape(name) for name in spellings if "@" in name)
        quoted = rf"(?<=[\"'`])(?:{every})(?=\\*[\"'`])"
        told = [quoted, rf"(?<!\w)@(?:{every})(?![\w-])"]
        if mails:
            told.append(rf"(?<![\w.+-])(?:{mails})(?![\w-])")
        self._told = re.compile("|".join(told), re.IGNORECASE)
        self._word = re.compile(rf"(?<![\w.+-])(?:{every})(?![\w-])", re.IGNORECASE)

    @property
    def patterns(self) -> list[str]:
        """For SQL's LIKE on the lower-case text of a JSON document: one matches wherever a name can be."""
        found = set(UNCLEAR)
        for name in self._spelled:
            if runs := RUN.findall(name):
                found.add(f"%{max(runs, key=len).lower()}%")
            else:  # not every database knows capitals of other scripts
                found |= {f"%{escaped(each)}%" for each in (name, name.lower(), name.upper(), name.title())}
                found.add(NO_RUN)
        return sorted(found)

    def name(self, text: str) -> bool:
        """Whether one of them stands in ``text``, the string of a JSON document."""
        text = composed(text)
        return self._whole(text) or bool(self._told.search(text)) or any(True for _ in self._pairs(text))

    def erase(self, text: str) -> str:
        """``text`` without the names in it."""
        text = composed(text)
        if self._whole(text):
            return ERASED
        for start, end in reversed(list(self._pairs(text))):
            text = f"{text[:start]}{ERASED} <{ERASED}>{text[end:]}"
        return self._told.sub(ERASED, text)

    def erase_words(self, text: str) -> str:
        """``text``, which names one of them for certain, without the names, quoted or not."""
        return self._word.sub(ERASED, self.erase(text))

    def in_document(self, text: str, without: Iterable[str] = ()) -> bool:
        """Whether a JSON document names one of them at any depth, but for the members ``without`` on top.

        Of members that stand twice each is looked at. What cannot be read as JSON is looked through as text.
        """
        try:
            document = json.loads(text, object_pairs_hook=Members)
        except (ValueError, RecursionError):
            return self._in_words(text)
        if isinstance(document, Members):
            left = set(without)
            document = Members(member for member in document if member[0] not in left)
        return any(self.name(each) for each in strings(document)) or self._in_data(document)

    def in_bytes(self, value: bytes | None) -> bool:
        """Whether bytes of any kind name one of them: as JSON, as a form, or as text."""
        if not value:
            return False
        text = value.decode("utf-8", "replace")
        return self.in_document(text) or self._in_words(unquote_plus(text))

    def _in_data(self, document: object) -> bool:
        members = document if isinstance(document, Members) else ()
        for name, value in members:
            if name == "data_base64" and isinstance(value, str):
                try:
                    data = base64.b64decode(value)
                except (binascii.Error, ValueError):
                    return self._in_words(value)
                if self.in_bytes(data):
                    return True
        return False

    def _in_words(self, text: str) -> bool:
        return bool(self._word.search(text)) or self.name(text)

    def _whole(self, text: str) -> bool:
        return folded(text).removeprefix("mailto:").lstrip("@") in self._names or folded(text) in self._names

    def _pairs(self, text: str) -> Iterator[tuple[int, int]]:
        """Where one of them stands as ``Name <mail>``: from the name to behind the bracket."""
        for mail in MAIL.finditer(text):
            before = text[max(0, mail.start() - LONGEST) : mail.start()].rstrip(' \t"')
            found = BEFORE.search(before)
            name = found[0].strip() if found else ""
            if folded(mail[1]) in self._names or folded(name) in self._names:
                yield text.rindex(name, 0, mail.start()) if name else mail.start(), mail.end()


class Members(list[tuple[str, Any]]):
    """The members of a JSON object in their order, those that stand twice included."""


def check(name: str) -> str:
    """``name``. Raises ``ValueError`` when it is too short to be somebody's."""
    if len(name.strip()) < SHORTEST:
        raise ValueError(f"{name!r} is no name: give a login, an e-mail address or a name as it is shown")
    return name


def composed(text: str) -> str:
    """``text`` with each accent and its letter as one character."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """``text`` as it is compared."""
    return composed(text).casefold().strip()


def escaped(text: str) -> str:
    """``text`` as LIKE finds it."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def strings(document: object) -> Iterator[str]:
    """Every string of a JSON document, names of members included, however deep."""
    left: list[object] = [document]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            left += value


def places(document: object, holds: Callable[[str], bool], path: Path = ()) -> Iterator[Path]:
    """Where in a JSON document strings stand that ``holds`` says yes to."""
    if isinstance(document, str) and holds(document):
        yield path
    elif isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, holds, (*path, name))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from places(value, holds, (*path, position))


def changed(document: Any, path: Path, change: Callable[[str], str]) -> Any:
    """``document`` with the string at ``path`` changed; the original stays as it is."""
    if not path:
        return change(document)
    first, *rest = path
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[first] = changed(document[first], tuple(rest), change)
    return copy

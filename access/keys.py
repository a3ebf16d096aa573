"""API keys: ``dora_<id>_<secret><checksum>``.

The id, 10 letters and digits, is no secret: lists, logs and ``dora keys revoke`` name a key by it. The secret
is 256 random bits. The checksum finds typing errors and cut copies before anybody is asked, and lets scanners
of repositories tell a key from a word that looks like one.

Only the secret's SHA-256 is kept. A slow hash such as bcrypt protects what people choose, because that can be
guessed; 256 random bits cannot, and a slow hash would make every request with a made-up key expensive for us.
"""

import secrets
import string
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

PREFIX = "dora"
ID_LENGTH = 10
SECRET_BYTES = 32
SECRET_LENGTH = 43  # digits of base 62 that hold 32 bytes
CHECKSUM_LENGTH = 6  # and 4 bytes, as in GitHub's tokens
ID_LETTERS = string.digits + string.ascii_lowercase
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH = len(PREFIX) + ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH + 2

# What a key may be used for: numbers and the facts behind them, or what came in, payloads included.
METRICS, EVENTS = "metrics", "events"
RIGHTS = (METRICS, EVENTS)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is presented. ``digest`` is what is kept of its secret."""

    id: str
    digest: bytes


def new_key() -> tuple[Key, str]:
    """A new key, and its text, which is never kept."""
    identity = "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
    secret = _digits(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH)
    begin = f"{PREFIX}_{identity}_{secret}"
    return Key(identity, _digest(secret)), begin + _checksum(begin)


def looks_like_key(text: str) -> bool:
    """Whether ``text`` means to be a key, and no token of another kind."""
    return text.startswith(f"{PREFIX}_")


def read_key(text: str) -> Key | None:
    """The key that ``text`` is, or ``None`` when it cannot be one. Says nothing of whether it is valid."""
    if len(text) != LENGTH or not looks_like_key(text) or not text.isascii():
        return None
    identity, separator, rest = text[len(PREFIX) + 1 :].partition("_")
    secret = rest[:SECRET_LENGTH]
    if not separator or not _is_id(identity) or not set(rest) <= set(DIGITS):
        return None
    if _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:  # no secret: everybody can compute it
        return None
    return Key(identity, _digest(secret))


def _is_id(text: str) -> bool:
    return len(text) == ID_LENGTH and set(text) <= set(ID_LETTERS)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("ascii")).digest()


def _checksum(text: str) -> str:
    return _digits(crc32(text.encode("ascii")), CHECKSUM_LENGTH)


def _digits(number: int, length: int) -> str:
    """``number`` in base 62, filled up to ``length`` digits."""
    digits = ""
    while number:
        number, rest = divmod(number, len(DIGITS))
        digits = DIGITS[rest] + digits
    return digits.rjust(length, DIGITS[0])

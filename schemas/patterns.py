"""Name patterns: ``*`` is any text within one segment, ``**`` any text, ``?`` one character.

Segments end at a slash, so that ``acme/*`` is every repository of acme, and none of its subgroups'.
"""

import re
from functools import lru_cache

_WILDCARDS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def is_pattern(name: str) -> bool:
    """Whether ``name`` may stand for more than itself."""
    return "*" in name or "?" in name


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` as a whole fits ``pattern``."""
    return expression(pattern).fullmatch(name) is not None


@lru_cache(4096)
def expression(pattern: str) -> re.Pattern[str]:
    """``pattern`` as a regular expression, to be used with ``fullmatch``."""
    # Runs of stars mean no more than one does, and cost the matcher more the longer they are.
    parts = re.split(r"(\*\*|\*|\?)", re.sub(r"\*{2,}", "**", pattern))
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in parts), re.DOTALL)

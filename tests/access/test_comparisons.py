"""Nobody compares secrets with ``==``, whose time tells how nearly a guess was right."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for room in ("ingress", "access", "query") for path in sorted((ROOT / room).rglob("*.py"))]
# Names of what a caller proves itself by, and of what that is held against.
SECRET = re.compile(r"(?:^|_)(given|signatures?|digests?|credentials?|passwords?|tokens?|secrets?|hmac|mac)$")
# A cursor's checksum has no key: whoever asks can compute it.
NO_SECRETS = {"digest != _digest(payload, question)"}
BY_TIME = ast.Eq | ast.NotEq | ast.In | ast.NotIn


def comparisons(source: str) -> list[str]:
    """Comparisons in ``source`` of what is called as secrets are.

    With a constant nothing secret is compared, nor are lengths. ``match`` compares as ``==`` does.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, BY_TIME) for op in node.ops):
            sides = [node.left, *node.comparators]
            if not any(isinstance(side, ast.Constant) for side in sides) and any(map(is_secret, sides)):
                found.append(ast.unparse(node))
        if isinstance(node, ast.MatchValue) and is_secret(node.value):
            found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and searches(node.func) and any(map(is_secret, node.args)):
            found.append(ast.unparse(node))
    return found


def searches(function: ast.expr) -> bool:
    """Whether a method compares from the beginning, as ``==`` does."""
    return isinstance(function, ast.Attribute) and function.attr in (
        "startswith",
        "endswith",
        "index",
        "find",
    )


def is_secret(node: ast.AST) -> bool:
    """Whether the value of an expression is called as secrets are."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return SECRET.search(name.lower()) is not None
        case ast.Call(func=ast.Name(id="len" | "type" | "isinstance")):
            return False
        case ast.Call(func=func, args=arguments):
            return is_secret(func) or any(map(is_secret, arguments))
        case ast.Subscript(value=value) | ast.Await(value=value) | ast.Starred(value=value):
            return is_secret(value)
        case ast.BinOp(left=left, right=right):
            return is_secret(left) or is_secret(right)
        case ast.JoinedStr(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            return any(map(is_secret, values))
        case ast.FormattedValue(value=value):
            return is_secret(value)
    return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a5_secrets_are_compared_in_constant_time(file: Path) -> None:
    found = set(comparisons(file.read_text())) - NO_SECRETS
    assert not found, "use hmac.compare_digest on bytes"


@pytest.mark.parametrize(
    "line",
    [
        "token == given", "given != expected", "y in secrets", "self.token == x", "x not in self._tokens",
        "headers['authorization'] == f'Bearer {token}'", "hmac.digest(a, b, c) == given", "a == sha(secret)",
        "key.digest == row['digest']", "x.startswith(secret)", "digest(key) == x", "a == b'v1=' + signature",
        "tokens[0] == x", "match x:\n case self.secret: pass", "x in (old_secret, new_secret)",
    ],
)  # fmt: skip
def test_a5_the_search_finds_every_way_to_compare(line: str) -> None:
    assert comparisons(line)


@pytest.mark.parametrize(
    "line",
    ["len(token) > 3", "len(token) == limit", "scheme == 'bearer'", "token is None", "secret == ''",
     "hmac.compare_digest(token, given)", "token_file == other_file", "name in names"],
)  # fmt: skip
def test_a5_the_search_finds_nothing_else(line: str) -> None:
    assert comparisons(line) == []

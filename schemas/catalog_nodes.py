"""YAML as a tree of nodes, and faults named by file, line and path. For the files that a catalog is made of.

Nodes and not values: only nodes know their lines, a key that is given twice is seen, and an environment
called ``no`` or ``1.10`` stays that text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import yaml


class CatalogError(ValueError):
    """The catalog cannot be used. The message names the file, line and path in it, and says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a document, the path that leads to it, and the file's name if there are several."""

    path: str
    node: yaml.Node
    file: str = ""

    def fault(self, problem: str) -> CatalogError:
        """``problem`` as an error that says where in the file it is."""
        line = f"line {self.node.start_mark.line + 1}"
        return CatalogError(f"{', '.join(filter(None, (self.file, line, self.path)))}: {problem}")

    def text(self) -> str:
        """The node's text, as it is written: ``no`` is not a truth value here, and ``1.10`` no number."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.fault("expected one name; write plain text here")
        if not self.node.value.strip() or self.node.tag == "tag:yaml.org,2002:null":
            raise self.fault("has no value; give it one, or remove the key")
        return str(self.node.value)

    def items(self) -> "list[Place]":
        """The items of a list; a single text is a list of one."""
        if isinstance(self.node, yaml.SequenceNode):
            return [
                Place(f"{self.path}[{index}]", item, self.file) for index, item in enumerate(self.node.value)
            ]
        if isinstance(self.node, yaml.ScalarNode):
            return [self]
        raise self.fault("expected a list; write each name on a line of its own after '- '")

    def entries(self) -> "dict[str, Place]":
        """The values of a mapping by their keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fault("expected 'key: value' lines")
        found: dict[str, Place] = {}
        for key_node, value in self.node.value:
            key = Place(self.path, key_node, self.file).text()
            place = Place(f"{self.path}.{key}" if self.path else key, value, self.file)
            if key in found:
                raise Place(place.path, key_node, self.file).fault("is given twice; put both under one key")
            found[key] = place
        return found

    def fields(self, *names: str) -> "dict[str, Place]":
        """The values of a mapping whose keys are among ``names``."""
        found = self.entries()
        for name, place in found.items():
            if name not in names:
                near = get_close_matches(name, names, n=1)
                advice = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(names)}"
                raise place.fault(f"unknown key; {advice}")
        return found

    def at(self, *keys: str) -> "Place | None":
        """The value below ``keys``, one under the other; ``None`` where there is none."""
        here: Place | None = self
        for key in keys:
            if here is None or here.is_empty:
                return None
            here = here.entries().get(key)
        return None if here is None or here.is_empty else here

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands here."""
        return self.node.tag == "tag:yaml.org,2002:null"


def documents(text: str, file: str = "") -> Iterator[Place]:
    """The documents in ``text`` that are not empty. Raises ``CatalogError``."""
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if not Place("", node, file).is_empty:
                yield Place("", node, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = ", ".join(filter(None, (file, "" if mark is None else f"line {mark.line + 1}")))
        problem = f"not valid YAML ({error.problem}); correct the syntax there"
        raise CatalogError(f"{where}: {problem}" if where else problem) from error
    except (yaml.YAMLError, RecursionError) as error:
        where = f"{file}: " if file else ""
        raise CatalogError(f"{where}not valid YAML; write the catalog as plain UTF-8 text") from error

"""A YAML file as plain data, with the line of every key and item, so that any error can say where it is.

Read from PyYAML's node tree.  Keys are always text (``on`` and ``1`` stay what was written), a key may
stand once in a mapping, and an alias may not contain itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import ConfigError, Problem

#: Where something stands in the data: keys, and indices of lists.
Place = tuple[str | int, ...]

_DEEPEST = 50
#: With aliases a short file may hold more than a machine does; without them no file holds more nodes than bytes.
_MOST_NODES = 100_000


@dataclass(slots=True)
class Document:
    """The data, the line (from 1) of each place, and what was wrong with the YAML itself."""

    file: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it that is in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def at(self, *place: str | int) -> Spot:
        """A place in the file, to speak about."""
        return Spot(self, place)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a document, whether or not anything stands there."""

    document: Document
    place: Place = ()

    def inside(self, *parts: str | int) -> Spot:
        """A place further in."""
        return Spot(self.document, (*self.place, *parts))

    def problem(self, message: str) -> Problem:
        """Something wrong here."""
        line, key = self.document.line_of(self.place), ".".join(map(str, self.place))
        return Problem(self.document.file, line, key, message)


def read_yaml(path: Path) -> tuple[Document, bytes]:
    """A file's document, and its bytes as read.

    :raises ConfigError: it cannot be read or is not one YAML document.
    """
    file = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem(file, 0, "", f"cannot be read: {error.strerror}")]) from None
    document = parse_yaml(content, file)
    if document.problems:
        raise ConfigError(document.problems)
    return document, content


def parse_yaml(content: bytes, file: str) -> Document:
    """A document from bytes; duplicate keys and the like are in its ``problems``.

    :raises ConfigError: it is not one YAML document.
    """
    document = Document(file)
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        document.data = (
            _Reader(loader, document, max(_MOST_NODES, len(content))).value(node, ()) if node is not None else None
        )
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([Problem(file, line, "", f"is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([Problem(file, 1, "", f"is not YAML: {' '.join(str(error).split())}")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 1, "", "is nested too deep to be a monitors file")]) from None
    return document


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks a node tree and notes lines on the way."""

    loader: yaml.SafeLoader
    document: Document
    most: int

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.document.lines.setdefault(place, node.start_mark.line + 1)
        if len(place) > _DEEPEST or len(self.document.lines) > self.most:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        found = self.loader.construct_object(node)
        if isinstance(found, str):
            self.check(found, place)
        return found

    def check(self, text: str, place: Place) -> None:
        """Half of a surrogate pair, which YAML can write, is no character: nothing could store it."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(text[error.start]):04x}"
            message = f"holds half of a surrogate pair, {half}: write the character itself, or \\U and its eight digits"
            self.document.problems.append(self.document.at(*place).problem(message))

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            inner = (*place, name)
            if name in found:
                message = f"stands twice, first in line {self.document.lines[inner]}"
                twice = Problem(self.document.file, line, ".".join(map(str, inner)), message)
                self.document.problems.append(twice)
                continue
            self.document.lines[inner] = line
            self.check(name, inner)
            found[name] = self.value(value, inner)
        return found

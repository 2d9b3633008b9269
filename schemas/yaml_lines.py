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

    def problem(self, place: Place, message: str) -> Problem:
        """Something wrong at a place."""
        return Problem(self.file, self.line_of(place), ".".join(map(str, place)), message)


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
    loader = None
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        document.data = _value(loader, node, document, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([Problem(file, line, "", f"is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([Problem(file, 1, "", f"is not YAML: {' '.join(str(error).split())}")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 1, "", "is nested too deep to be a monitors file")]) from None
    return document


def _value(loader: yaml.SafeLoader, node: yaml.Node, document: Document, place: Place) -> Any:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > _DEEPEST or len(document.lines) > _MOST_NODES:
        raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, document, place)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, document, (*place, index)) for index, item in enumerate(node.value)]
    return loader.construct_object(node)


def _mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, document: Document, place: Place
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        inner = (*place, name)
        if name in found:
            message = f"stands twice, first in line {document.lines[inner]}"
            document.problems.append(Problem(document.file, line, ".".join(map(str, inner)), message))
            continue
        document.lines[inner] = line
        found[name] = _value(loader, value, document, inner)
    return found

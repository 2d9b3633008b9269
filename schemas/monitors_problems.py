"""What pydantic found wrong with a monitors file: file, line, key, and what is allowed there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import Problem
from schemas.yaml_lines import Document, Place


def problems_of(error: ValidationError, document: Document, shape: type[BaseModel]) -> Iterator[Problem]:
    """One problem per error, in the order of the file."""
    found = [_problem(item, document, shape) for item in error.errors(include_url=False)]
    yield from sorted(found, key=lambda problem: problem.line)


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` where one of the allowed names is close, otherwise nothing."""
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _problem(item: ErrorDetails, document: Document, shape: type[BaseModel]) -> Problem:
    place: Place = tuple(part for part in item["loc"] if part != "[key]")
    return document.at(*place).problem(_message(item, place, shape))


def _message(item: ErrorDetails, place: Place, shape: type[BaseModel]) -> str:
    kind, given = item["type"], item["input"]
    if kind == "missing":
        return "is missing"
    if kind == "detector":
        return item["msg"]  # which names the value itself
    if kind == "secret":
        return item["msg"]  # and never what stands there: it may be the secret itself
    if kind == "extra_forbidden":
        allowed = _names_at(shape, place[:-1])
        hint = did_you_mean(str(place[-1]), allowed) or "."
        return f"is not a key here{hint} Allowed: {', '.join(allowed)}"
    if kind == "string_pattern_mismatch":
        return f"must be letters, digits, '.', '_' or '-', at most 100, not {_shown(given)}"
    said = _plain_words(item)
    hint = did_you_mean(given, _choices(item)) if isinstance(given, str) else ""
    return f"{said}, not {_shown(given)}{hint}"


def _plain_words(item: ErrorDetails) -> str:
    words = {
        "too_long": "must have at most {max_length} items",
        "too_short": "must have at least {min_length} items",
        "dict_type": "must be a mapping",
        "model_type": "must be a mapping",
        "model_attributes_type": "must be a mapping",
        "list_type": "must be a list",
        "string_type": "must be text",
        "float_type": "must be a number",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
    }
    if item["type"] in words:
        return words[item["type"]].format(**item.get("ctx", {}))
    return item["msg"].replace("Input should", "must")


def _choices(item: ErrorDetails) -> list[str]:
    if item["type"] != "literal_error":
        return []
    return [text.strip("'") for text in str(item["ctx"]["expected"]).replace(" or ", ", ").split(", ")]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _names_at(shape: type[BaseModel], place: Place) -> list[str]:
    """The keys that the mapping at a place may have."""
    found: Any = shape
    for part in place:
        found = _inside(found, part)
    return [field.alias or name for name, field in found.model_fields.items()]


def _inside(shape: Any, part: str | int) -> Any:
    """The type of what stands under a key of a mapping, or of an item of a list."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        fields = shape.model_fields.items()
        return _bare(next(field.annotation for name, field in fields if (field.alias or name) == part))
    return _bare(get_args(shape)[-1])


def _bare(annotation: Any) -> Any:
    """A type without what is wrapped around it: ``Annotated``, and ``| None``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _bare(next(option for option in get_args(annotation) if option is not type(None)))
    return annotation if origin is not Literal else str

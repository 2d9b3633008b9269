"""What a single value of a monitors file may be: lengths, shares, names, limits, places of secrets; and a mapping that has some."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.durations import milliseconds_of
from schemas.gpus import LONGEST_NAME

DAY_MS = 86_400_000


def _duration(value: object) -> int:
    try:
        return milliseconds_of(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{said}", {"said": str(error)}) from None


def _name(value: str) -> str:
    if any(sign in '"\\' or sign < " " or "\x7f" <= sign < "\xa0" for sign in value):
        raise PydanticCustomError("name", "must hold no double quote, backslash or control character")
    return value


def _window(value: str) -> str:
    if value.startswith(("features:", "skew:")):
        raise PydanticCustomError(
            "window", "must not begin with `features:` or `skew:`: so the windows of other streams are called"
        )
    return value


def _quota(value: float) -> float:
    if value < 1:
        raise PydanticCustomError(
            "quota",
            "must be at least 1 event a second: below, it would be read for ever too late; leave it out for none",
        )
    return value


def _period(value: int) -> int:
    if not DAY_MS <= value <= 90 * DAY_MS:
        raise PydanticCustomError("period", "must be from 1d to 90d")
    return value


def _skew(value: object) -> float | str:
    """YAML reads ``off`` as ``false``."""
    if value is False or value == "off":
        return "off"
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise PydanticCustomError("skew", "must be a PSI above 0, or `off`")


Duration = Annotated[int, BeforeValidator(_duration)]
Length = Annotated[Duration, Field(gt=0)]
#: For how long a budget lasts: panes are kept for longer.
Period = Annotated[Duration, AfterValidator(_period)]
#: Events a second.
Quota = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_quota)]
Share = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
#: ``3`` means the text; a fraction must be quoted, for its last zeros would be lost.
Version = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Skew = Annotated[float | Literal["off"], BeforeValidator(_skew)]
#: A model's name becomes part of Redis keys, where colons and braces have a meaning.
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
#: A feature's name becomes a field that events are decoded into, which takes no sign that JSON writes escaped.
Key = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_name)]
#: As samples of GPUs may name one.
HostName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]

#: A window of predictions is kept under its name.
WindowName = Annotated[Key, AfterValidator(_window)]


class Shape(BaseModel):
    """A mapping of the file: its keys and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class SecretPlace(Shape):
    """A secret by where it is: one of a file and a variable; never the secret itself."""

    file: str | None = None
    env: str | None = None


def _secret(value: object) -> object:
    """Checked before pydantic does, whose errors quote what they refuse."""
    if isinstance(value, dict) and len(value) == 1 and all(type(item) is str for item in value.values()):
        return value
    raise PydanticCustomError("secret", "must be {file: PATH} or {env: VARIABLE}")


Secret = Annotated[SecretPlace, BeforeValidator(_secret)]

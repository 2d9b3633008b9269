"""Events made wrong on purpose: in their types, keys, numbers, nesting and bytes.

An event is held as pairs, so a key may stand twice, and a value may be raw text that no JSON writer would write.
"""

from __future__ import annotations

import base64
import json
import struct
from copy import deepcopy
from random import Random
from typing import Any


class Raw(str):
    """Text that is written into the JSON as it is."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object whose keys may repeat."""


VALUES: tuple[Any, ...] = (
    *map(Raw, ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-0", "-0.0", "1.5", "0.1e1", "1E2", "5e-324")),
    *map(Raw, ("1357035300000.0", "1357035300000.9", "4000000000000.5", "99999999999.9", "1e12", "1e300", "01", "1.")),
    *map(Raw, ("123456789.1234567891234567891234567", "9007199254740993", "18446744073709551616", "2.5e1", "\x01")),
    *map(Raw, ('"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x"', '"a', "tru", "{", "[", ",", "nan", "'a'")),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**1023 + 1, 10**30, -(10**400), Raw("9" * 5000)),
    *(0, 1, 7, -7, 99_999_999_999, 100_000_000_000, 4_000_000_000_000, 4_000_000_000_001, 1357035300),
    *("1.5", "", "7", "true", "UA", "yes", "success", "error", "trees", "prices", "strangers", "watermark", "é\u2028"),
    *("1357035300000", " 1357035300000", "2013-01-01T05:15:00-05:00", "2013-01-01T05:15:00", "2013-01-01t10:15:00.1239Z"),
    *(True, False, None, [], [1.5, None], ["a"], Pairs(), Pairs([("a", 1)]), Pairs([("f64", "AAAAAAAA8D8=")])),
    *([1357035300000, 1357035300001], Raw("[" * 300 + "]" * 300)),
)  # fmt: skip
KEYS = (
    "model", "timestamp", "id", "version", "features", "prediction", "score", "label", "value", "temp", "wide",
    "carrier", "tail", "outcome", "rating", "metrics", "segments", "status", "latency_s", "input_tokens", "shadow_of",
    "perplexity", "gpu", "service", "control", "strange", "", "é", "f0", "timestam\\u0070",
)  # fmt: skip


def pairs_of(value: Any) -> Any:
    """A plain JSON value with its objects as pairs."""
    if isinstance(value, dict):
        return Pairs((key, pairs_of(item)) for key, item in value.items())
    return value


def written(value: Any) -> str:
    """JSON, raw texts as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f'"{key}":{written(item)}' for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def mutant(event: dict[str, Any], chance: Random) -> bytes:
    """The event with one to three changes, a third of the time in its bytes too."""
    pairs = pairs_of(event)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        _change(chance.choice(_objects(pairs)), chance)
    text = written(pairs)
    if chance.random() < 0.1:
        text = f"[{text},{text}]" if chance.random() < 0.5 else f"[{text}]"
    raw = text.encode("utf-8", "surrogatepass")
    return _damaged(raw, chance) if chance.random() < 0.3 else raw


def _objects(value: Any) -> list[Pairs]:
    below = [found for _, item in value for found in _objects(item)] if isinstance(value, Pairs) else []
    return [value, *below] if isinstance(value, Pairs) else below


def _change(target: Pairs, chance: Random) -> None:
    at = chance.randrange(len(target)) if target else 0
    kind = chance.choice(("value", "value", "value", "drop", "rename", "again", "new")) if target else "new"
    match kind:
        case "value":
            target[at] = (target[at][0], _value(chance))
        case "drop":
            del target[at]
        case "rename":
            target[at] = (chance.choice(KEYS), target[at][1])
        case "again":
            repeated = deepcopy(target[at][1]) if chance.random() < 0.3 else _value(chance)
            target.insert(chance.randrange(len(target) + 1), (target[at][0], repeated))
        case _:
            target.append((chance.choice(KEYS), _value(chance)))


def _value(chance: Random) -> Any:
    return deepcopy(chance.choice(VALUES))


def _damaged(raw: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(raw))
    match chance.randrange(5):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case 2:
            return raw[:at] + bytes([chance.choice(b'{}[],:"0 \\\xff\xc3')]) + raw[at:]
        case 3:
            return raw[:at] + raw[at : at + 9] + raw[at:]
        case _:
            return b" \n" + raw + chance.choice((b"\t", b"\x00", b"{}", b","))


def batch_mutant(batch: dict[str, Any], chance: Random) -> bytes:
    """A columnar batch with some cells changed, columns cut or packed; half the time changed as an event is, too."""
    pairs = pairs_of(deepcopy(batch))
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        if places := _columns(pairs):
            _change_column(chance.choice(places), chance)
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        _change(chance.choice(_objects(pairs)), chance)
    raw = written(pairs).encode("utf-8", "surrogatepass")
    return _damaged(raw, chance) if chance.random() < 0.05 else raw


def _columns(pairs: Pairs) -> list[tuple[Pairs, int]]:
    """Where each list of an object and those inside it stands."""
    here = [(pairs, at) for at, (_, value) in enumerate(pairs) if type(value) is list]
    return here + [found for _, value in pairs if isinstance(value, Pairs) for found in _columns(value)]


def _change_column(place: tuple[Pairs, int], chance: Random) -> None:
    pairs, at = place
    name, column = pairs[at]
    if type(column) is not list or not column:
        return
    match chance.randrange(12):
        case 0:
            del column[chance.randrange(len(column))]
        case 1:
            pairs[at] = (name, chance.choice(column))
        case 2 | 3:
            pairs[at] = (name, _packed([chance.choice(_FLOATS) for _ in column]))
        case _:
            column[chance.randrange(len(column))] = _value(chance)


#: A NaN whose bits say something to whoever reads them.
_TELLING: float = struct.unpack("<d", b"\3" + bytes(5) + b"\xf8\x7f")[0]
_FLOATS = (1.5, -0.0, 0.25, 1357035300000.9, float("nan"), float("inf"), 7.0, _TELLING)


def _packed(values: list[float]) -> Pairs:
    return Pairs([("f64", base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode())])

"""Where the events of a model are counted by version while it has a release: a layout of its own beside each stream's.

Its panes stand beside the stream's own, of the same length, in the same checkpoint; so the beginning of a release changes no
layout that drift is judged by.  An *arm* is one of the two versions.  A cell of an arm counts only events of that version;
events of another version, or of none, count in the column ``version`` and in nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, get_args

from schemas.release import ReleaseMonitor
from stream.state.layout import ID, CategoricalColumn, Layout, NumericColumn
from stream.state.packing import Partial, pack, pack_shorter

ArmName = Literal["champion", "challenger"]
ARMS: Final[tuple[ArmName, ...]] = get_args(ArmName)
#: Path of an event's version, and name of the column that counts it.
VERSION: Final = "version"
#: Name of the column of ids, which the layouts of streams do not have so.
IDS: Final = "ids"
#: Signed buckets that the ids of an arm are counted in; a sign is a cell of its own, for cells only ever grow.
ID_BUCKETS: Final = 1024

_REQUESTS = ("latency_s", "input_tokens", "output_tokens")
#: What is counted by arm of each stream: keys (name, path) of its columns.
_NUMBERS: Final = {
    "predictions": (*((name, name) for name in _REQUESTS), ("score", "prediction.score")),
    "serving": (*((name, name) for name in _REQUESTS), ("rating", "rating")),
    "labels": (("rating", "rating"),),
}
_NAMES: Final = {"predictions": (("status", "status"),), "serving": (("status", "status"),), "labels": ()}
_IDS = CategoricalColumn(IDS, ID, buckets=2 * ID_BUCKETS)


def arms_layout(layout: Layout, release: ReleaseMonitor | None) -> Layout | None:
    """The layout beside a stream's own; None where there is no release, or nothing of the stream is counted by version."""
    if release is None or layout.stream not in _NUMBERS:
        return None
    version = CategoricalColumn(VERSION, VERSION, (release.champion, release.challenger))
    numeric = _numbers(layout)
    return replace(
        layout,
        numeric=tuple(replace(column, name=f"{arm}.{column.name}") for arm in ARMS for column in numeric),
        categorical=(
            version,
            *(replace(column, name=f"{arm}.{column.name}") for arm in ARMS for column in _names(layout)),
        ),
    )


def is_of_arms(layout: Layout) -> bool:
    """Whether a stored layout is one of these: they stand among the others under a model."""
    return bool(layout.categorical) and layout.categorical[0].path == VERSION


def stored_form(layout: Layout, partial: Partial) -> bytes:
    """A pane as it is stored: one of arms is mostly buckets of ids, which a full pane fills, and takes the shorter format.

    Those of streams keep to format 1, which older programs read: they may stand beside this one while it is rolled out.
    """
    return pack_shorter(partial) if is_of_arms(layout) else pack(partial)


def columns_of(layout: Layout, arm: ArmName) -> tuple[dict[str, int], dict[str, int]]:
    """Of a layout of arms, numeric and categorical columns of one arm: plain name to place in the layout."""
    numeric = {column.name: at for at, column in enumerate(layout.numeric)}
    categorical = {column.name: at for at, column in enumerate(layout.categorical)}
    return _of_arm(numeric, arm), _of_arm(categorical, arm)


def _of_arm(names: dict[str, int], arm: ArmName) -> dict[str, int]:
    begin = f"{arm}."
    return {name.removeprefix(begin): at for name, at in names.items() if name.startswith(begin)}


def _numbers(layout: Layout) -> list[NumericColumn]:
    held = {column.key: column for column in layout.numeric}
    return [replace(held[key], detailed=False) for key in _NUMBERS[layout.stream] if key in held]


def _names(layout: Layout) -> list[CategoricalColumn]:
    held = {column.key: column for column in layout.categorical}
    ids = [_IDS] if layout.stream == "predictions" else []
    return [*(held[key] for key in _NAMES[layout.stream] if key in held), *ids]

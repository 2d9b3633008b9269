"""What a model was built on: one profile per feature, no raw rows, named by a hash of its content.

A profile holds counts over bins fixed once and for all, so that whatever is counted later on the same bins
can be compared with it. The bin rule everywhere: bin i holds ``edges[i-1] <= x < edges[i]``, the first and
the last bin are open, hence ``len(counts) == len(edges) + 1``. The first edge is the minimum and the last one
the float after the maximum, so both outer bins are empty in the reference itself: what falls there later was
never seen.

Promises: equal content has an equal hash, in whatever order the features were given; `from_json(to_json())`
is the same reference, bit for bit; a file that was changed by hand or cut short is refused, never half read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.errors import DriftlineError

SCHEMA = 2
"""The newest version of the file's shape that is read here; what is written is the oldest that holds the content."""
PLAIN = 1
"""The shape without `CategoricalProfile.unlisted`."""

SparseRow = tuple[int, ...]
"""One pane's counts without the zeros: ``(column, count, column, count, …)``, columns rising."""


class BadReference(DriftlineError):
    """A reference file that cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class NumericProfile:
    """A numeric column. ``sum(counts) + missing + nonfinite == rows``.

    edges: strictly rising, finite; empty where no value was finite (one open bin, count 0).
    deciles: the nine inner deciles (numpy `quantile`, linear), ties kept; each is an edge.
    atoms: values that alone hold at least 1/50 of the finite values, rising; each has the bin
        [v, nextafter(v)).
    pane_counts: a sparse row a pane, in time order; columns 0 … len(counts)-1 are the bins, then one column
        for missing, then one for non-finite. Empty where the file had no time order.
    missing: null or NaN (a table cannot tell them apart). nonfinite: plus or minus infinity.
    minimum, maximum, mean, sd: of the finite values (sd with divisor n); None where there was none.
    """

    edges: tuple[float, ...]
    deciles: tuple[float, ...]
    atoms: tuple[float, ...]
    counts: tuple[int, ...]
    pane_counts: tuple[SparseRow, ...]
    rows: int
    missing: int
    nonfinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    sd: float | None

    @property
    def center(self) -> float:
        """The mean, or 0 where there is none: what moments are taken around."""
        return 0.0 if self.mean is None else self.mean

    @property
    def scale(self) -> float:
        """The standard deviation, or 1 where it is 0 or absent: the unit of moments and distances."""
        return self.sd if self.sd and math.isfinite(self.sd) else 1.0

    @property
    def pane_columns(self) -> int:
        """Columns of a pane row: the bins, missing, non-finite."""
        return len(self.counts) + 2


@dataclass(frozen=True, slots=True)
class CategoricalProfile:
    """A column of names. ``sum(counts) + other + missing == rows``.

    categories: by falling count, then by name; at most 2 000. other: rows of all further names.
    pane_counts: as in `NumericProfile`; columns are the categories, then other, then missing.
    unlisted: where there are further names, `(length, rows of block 0, rows of block 1, …)` for blocks of some lengths in
        panes, rising: rows whose name would not be among the categories, had the block not been in the reference
        (`detectors.unlisted`). Not written where it is empty, so a reference without it keeps its hash.
    """

    categories: tuple[str, ...]
    counts: tuple[int, ...]
    pane_counts: tuple[SparseRow, ...]
    rows: int
    missing: int
    other: int
    unlisted: tuple[tuple[int, ...], ...] = ()

    @property
    def pane_columns(self) -> int:
        """Columns of a pane row: the categories, other, missing."""
        return len(self.counts) + 2


Profile = NumericProfile | CategoricalProfile


@dataclass(frozen=True, slots=True)
class Reference:
    """Every profile of one model.

    pane_ms, pane_starts: length and starts (epoch milliseconds) of the panes, empty ones in between included,
    as many as rows in every profile's `pane_counts`; None where the file had no time order.
    """

    schema: int
    model: str
    rows: int
    pane_ms: int | None
    pane_starts: tuple[int, ...] | None
    features: Mapping[str, Profile]
    score: NumericProfile | None
    outcomes: CategoricalProfile | None

    @property
    def hash(self) -> str:
        """SHA-256, in hex, of the canonical JSON of the content. Computed anew on each call: keep it."""
        return hashlib.sha256(_canonical(_content(self))).hexdigest()

    def to_json(self) -> bytes:
        """The file: canonical JSON of the content and its hash beside it, ended by a newline."""
        content = _canonical(_content(self))
        # The hash's key comes behind all others in their order, so what was hashed need not be made again.
        return content[:-1] + b',"sha256":"%b"}\n' % hashlib.sha256(content).hexdigest().encode()

    @staticmethod
    def from_json(data: bytes) -> Reference:
        """Read what `to_json` wrote. Raises `BadReference` on damage, a wrong shape or a newer schema."""
        content = _decoded(data)
        _check_schema(content["schema"])
        reference = _reference(content)
        if not _written_as(reference, content, data):
            raise BadReference("sha256 does not match the content: changed or damaged; build it again")
        return reference


def _canonical(content: Mapping[str, Any]) -> bytes:
    """Sorted keys, no spaces, ASCII, shortest floats that read back equal; NaN and infinity are refused."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _written_as(reference: Reference, content: Mapping[str, Any], data: bytes) -> bool:
    """Whether the reference would be written just so: same hash, no key too many, no NaN, no infinity.

    What we wrote ourselves is the same to the byte; to read it again takes as long as to read it.
    """
    try:
        written = reference.to_json()
        return written == data or bool(json.loads(written) == content)
    except ValueError:
        return False


def _content(reference: Reference) -> dict[str, Any]:
    """The reference as plain JSON values, profiles tagged by their type."""
    content = {name: getattr(reference, name) for name in Reference.__dataclass_fields__}
    content["features"] = {name: _profile_content(profile) for name, profile in reference.features.items()}
    for name in ("score", "outcomes"):
        content[name] = None if content[name] is None else _profile_content(content[name])
    return content


def _profile_content(profile: Profile) -> dict[str, Any]:
    content = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    if isinstance(profile, CategoricalProfile):
        if not profile.unlisted:
            del content["unlisted"]
        return content | {"type": "categorical"}
    # An integer handed in for a float would be written "1" and read back as 1.0: another hash.
    floats = {name: [float(value) for value in content[name]] for name in ("edges", "deciles", "atoms")}
    moments = {name: _float(content[name]) for name in ("minimum", "maximum", "mean", "sd")}
    return content | floats | moments | {"type": "numeric"}


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReference(f"not JSON ({error}); build it with `driftline reference build`") from None
    if not isinstance(content, dict) or "schema" not in content:
        raise BadReference("not a reference: expected a JSON object with the key `schema`")
    return content


def _check_schema(schema: object) -> None:
    if type(schema) is not int or schema < 1:
        raise BadReference(f"schema: {schema!r} is not a version; expected 1 to {SCHEMA}")
    if schema > SCHEMA:
        raise BadReference(f"schema: {schema} is newer than what is read here (up to {SCHEMA}); update driftline")


_PROFILES = {"numeric": NumericProfile, "categorical": CategoricalProfile}


class _Head(msgspec.Struct):
    """The plain keys of a reference; profiles need their tag looked at first."""

    schema: int
    model: str
    rows: int
    pane_ms: int | None
    pane_starts: tuple[int, ...] | None


def _reference(content: Mapping[str, Any]) -> Reference:
    """The content as a `Reference`; raises `BadReference` naming the place that has another shape."""
    head = _converted("reference", content, _Head)
    features = _converted("features", content.get("features"), dict[str, Any])
    score, outcomes = (
        None if content.get(name) is None else _profile(name, content[name]) for name in ("score", "outcomes")
    )
    if isinstance(score, CategoricalProfile) or isinstance(outcomes, NumericProfile):
        raise BadReference("score must be a numeric profile and outcomes a categorical one")
    return Reference(
        schema=head.schema,
        model=head.model,
        rows=head.rows,
        pane_ms=head.pane_ms,
        pane_starts=head.pane_starts,
        features={name: _profile(f"features.{name}", value) for name, value in features.items()},
        score=score,
        outcomes=outcomes,
    )


def _profile(where: str, content: object) -> Profile:
    kind = content.get("type") if isinstance(content, dict) else None
    if kind not in ("numeric", "categorical"):
        raise BadReference(f'{where}.type: {kind!r}; expected "numeric" or "categorical"')
    profile: Profile = _converted(where, content, _PROFILES[kind])
    if isinstance(profile, NumericProfile) and len(profile.counts) != len(profile.edges) + 1:
        raise BadReference(f"{where}.counts: {len(profile.counts)} for {len(profile.edges)} edges; expected one more")
    return profile


def _converted(where: str, content: object, shape: Any) -> Any:
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        raise BadReference(f"{where}: {error}") from None

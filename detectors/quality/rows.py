"""Checks of single rows, as shares: without a value, not finite, of another type, out of range, never seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from detectors.quality.shares import Share, chance_of, learned, limit_of
from detectors.quality.unseen import UnseenLimit
from detectors.quality.verdict import LEAST_ROWS, Check, Verdict, judged, undecided
from detectors.signatures.cells import Window, cells_of
from schemas.reference import CategoricalProfile, NumericProfile, Profile


def missing(profile: Profile, hits: int, rows: int, *, length: int | None = None) -> Verdict:
    """Rows without a usable value, against the reference's share of them.

    :param length: panes in a window, the blocks by which the reference shows how such rows come together.
    """
    columns = range(len(profile.counts) + isinstance(profile, CategoricalProfile), profile.pane_columns)
    held = profile.missing + (profile.nonfinite if isinstance(profile, NumericProfile) else 0)
    return _against("missing", learned(profile, columns, hits=held, length=length), hits, rows=rows)


def missing_promised(hits: int, rows: int, *, threshold: float) -> Verdict:
    """The same against a declared ``null_threshold``, which stands above what was learned."""
    if rows < LEAST_ROWS:
        return undecided("missing", rows, threshold=threshold)
    return judged("missing", hits / rows, threshold, n=rows)


def nonfinite(profile: NumericProfile, hits: int, rows: int, *, length: int | None = None) -> Verdict:
    """NaN and infinities that were sent, against the reference's infinities (a table cannot tell its NaN from a hole)."""
    share = learned(profile, [profile.pane_columns - 1], hits=profile.nonfinite, length=length)
    return _against("nonfinite", share, hits, rows=rows)


def wrong_type(hits: int, rows: int) -> Verdict:
    """Values of another type than was declared: one is enough, for the sender breaks what was agreed.

    >>> wrong_type(1, 50)
    Verdict(check='type', state='drift', value=0.02, threshold=0.0, n=50, p=None, words='1 of 50 values have another type')
    """
    if not rows:
        return undecided("type", 0, state="no_traffic", threshold=0.0)
    return judged("type", hits / rows, 0.0, n=rows, words=f"{hits} of {rows} values have another type")


def declared_range(profile: NumericProfile, window: Window, *, allowed: tuple[float, float]) -> Verdict:
    """Values outside the declared range: at least this share, for what shares a bin with its ends counts as inside.

    Whether there is one is exact: the least and the greatest value are known.
    """
    cells = cells_of(profile, window)
    if not cells.rows:
        return undecided("range", 0, state="no_traffic", threshold=0.0)
    low, high = allowed
    below, above = cells.counts[cells.bounds[1:] <= low].sum(), cells.counts[cells.bounds[:-1] > high].sum()
    least = max(int(below), int(window.minimum < low)) + max(int(above), int(window.maximum > high))
    ends = f"least {window.minimum:g}, greatest {window.maximum:g}"
    words = f"at least {least} of {cells.rows} values outside {low:g} … {high:g}; {ends}" if least else ""
    return judged("range", least / cells.rows, 0.0, n=cells.rows, words=words)


def outside(profile: NumericProfile, counts: ArrayLike, *, length: int | None = None) -> Verdict:
    """Values beyond all that the reference holds, against what chance brings: as many as of its own rows, were they drawn again.

    Of exchangeable rows the share beyond both ends of M is beta(2, M - 1); rows of the outermost bins show how they cluster.
    """
    held = np.asarray(counts, dtype=np.int64)
    rows, values = int(held.sum()), sum(profile.counts)
    if not values:
        return undecided("outside", rows, state="no_reference")
    ends = [1, len(profile.counts) - 2]
    tails = learned(profile, ends, hits=sum(profile.counts[at] for at in ends), length=length)
    share = Share(2.0, max(values / tails.effect - 1.0, 1.0), tails.effect)
    return _against("outside", share, int(held[0] + held[-1]), rows=rows)


def unseen(limit: UnseenLimit | None, hits: int, rows: int) -> Verdict:
    """Rows whose name the reference never held, against the limit by block Good-Turing."""
    if limit is None:
        return undecided("unseen", rows, state="no_reference")
    if rows < LEAST_ROWS:
        return undecided("unseen", rows, threshold=limit.limit)
    return judged("unseen", hits / rows, limit.limit, n=rows)


def _against(check: Check, share: Share, hits: int, *, rows: int) -> Verdict:
    if rows < LEAST_ROWS:
        return undecided(check, rows)
    limit = limit_of(share, rows)
    p = chance_of(share, hits, rows)
    return judged(check, hits / rows, limit, n=rows, p=p)

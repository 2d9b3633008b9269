"""The finding of a release: it fires while the file names a challenger that was rolled back.  Pure."""

from __future__ import annotations

from stream.evaluate.columns.watched import Watched
from stream.evaluate.releases.state import State
from stream.evaluate.releases.unit import RELEASE
from stream.evaluate.verdicts.verdict import Verdict


def verdict_of(state: State, watched: Watched, *, at_ms: int) -> Verdict:
    """P2, for the model's owner: nothing is served by the bad version any more, and somebody has to look at it.

    No further judgement is expected: it fires until the file names another challenger, or none.
    """
    back = state.phase == "rolled_back"
    return Verdict(
        rule=RELEASE,
        kind="release",
        subject=watched.subject,
        state="firing" if back else "ok",
        severity="P2",
        start_ms=state.since if back else at_ms,
        memory=0,
        owner=watched.owner_of(None),
        evidence={
            "release": state.release,
            "champion": state.champion,
            "challenger": state.challenger,
            "why": state.why,
            "cause": f"version {state.challenger!r}: {state.why}",
        },
    )

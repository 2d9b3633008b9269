"""A resolve at PagerDuty is sent once more after an hour: one that comes in a maintenance window is accepted and dropped.

PagerDuty answers "accepted" there as well, so nobody can know.  A resolve of what is closed, or of a key that is not known,
does nothing, and a generation's key is never opened again; so the second one can do no harm.  In a replay there are only
recording receivers, which have no such windows: there one resolve is enough.
"""

from __future__ import annotations

from dataclasses import replace

from alerting.draft import Draft
from alerting.entry import Entry


def resolved(draft: Draft, entry: Entry, generation: int) -> Entry:
    """The entry once a close was taken: the first is to be sent again later, the second was the last."""
    again = {number: due for number, due in entry.again.items() if number != generation}
    if generation in entry.believed and entry.kind == "pagerduty" and draft.policy.clock == "live":
        again[generation] = draft.now + draft.policy.timings.resolve_again
    believed = {number: belief for number, belief in entry.believed.items() if number != generation}
    return replace(entry, believed=believed, again=again)


def resolve_due(entry: Entry) -> int | None:
    """When the next resolve is to be sent again; None: none is, or the address was given up."""
    return None if entry.failed is not None else min(entry.again.values(), default=None)


def due_again(entry: Entry, now: int) -> int | None:
    """The generation that is to be resolved again now; one that should be open never is.

    >>> entry = Entry("inc-1|pd", "inc-1", "pd", "pagerduty", "oncall", again={1: 3_600_000})
    >>> due_again(entry, 3_599_999), due_again(entry, 3_600_000)
    (None, 1)
    """
    return min((number for number, due in entry.again.items() if due <= now and number != entry.want), default=None)


def dropped(entry: Entry, generation: int) -> Entry:
    """The entry once the second resolve was refused for good: the first was taken, so nobody has to hear of it."""
    return replace(entry, again={number: due for number, due in entry.again.items() if number != generation})

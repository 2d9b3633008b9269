"""What a vendor's answer means for the register: over, again later, or never."""

from __future__ import annotations

import math
from collections.abc import Mapping

from alerting.deliveries import Receipt
from alerting.messages.wording import clean, cut

#: Statuses of a client's error that are not the client's fault for ever.
_AGAIN = {407, 408, 425, 429}
LONGEST_WAIT_S = 3600.0
#: A refusal that is not in the vendor's own words may be of something in between: it is asked again, slowly.
SLOW_S = 60.0
_WHY = 300


def retry(why: str, *, after_s: float | None = None) -> Receipt:
    """Again, later."""
    return Receipt("retry", after_s, why=why)


def permanent(why: str) -> Receipt:
    """Never: what is sent, or to whom, has to change first."""
    return Receipt("permanent", why=why)


def refused(status: int, said: str, *, vendor: str, after_s: float, final: bool) -> Receipt:
    """The meaning of an HTTP status that is no success; ``after_s`` is the wait it asks for, used where it is a limit's.

    ``final``: the answer is surely the vendor's own, and says that this will never be taken.
    """
    why = f"{vendor} answered {status}" + (f": {said}" if said else "")
    if status == 429:
        return retry(why, after_s=after_s)
    if 300 <= status < 400:
        return retry(f"{vendor} answered {status}, a redirect, and none is followed")
    if 400 <= status < 500 and status not in _AGAIN:
        return permanent(why) if final else retry(why, after_s=SLOW_S)
    return retry(why)


def wait_s(headers: Mapping[str, str], *, default_s: float) -> float:
    """How long ``Retry-After`` asks to wait; ``default_s`` where it is missing or no number of seconds, at most an hour.

    >>> wait_s({"retry-after": "2.5"}, default_s=30), wait_s({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, default_s=30)
    (2.5, 30)
    """
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        asked = float(found)
    except ValueError:
        return default_s
    return min(asked, LONGEST_WAIT_S) if math.isfinite(asked) and asked >= 0 else default_s


def quoted(text: str, *, secret: str) -> str:
    """What a vendor said, in one line of bounded length, without our secret where it repeats that."""
    return cut(clean(text.replace(secret, "***")), _WHY)

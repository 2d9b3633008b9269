"""A feature whose every value is new: what is kept of it is one count, and nobody else is hurt."""

from __future__ import annotations

from tests.support.many_names import NEIGHBOUR, held, prepare, send
from tests.support.observed import counts
from tests.support.worker import Deployment

NAMES = 30_000
#: As long as a name may be that is remembered: kept, it takes 300 bytes in each of two columns.
LONGER = 40
#: Half of that. A worker that has just begun grows by up to 9 MB, once, with as many events of six names, too.
ALLOWED = 300 * NAMES


def test_ever_new_names_take_no_memory_and_are_counted(deployment: Deployment) -> None:
    prepare(deployment)
    send(deployment, range(NAMES), distinct=6, longer=LONGER)
    few = held(deployment)
    send(deployment, range(NAMES), distinct=NAMES, longer=LONGER)
    many = held(deployment)
    send(deployment, range(NAMES, 2 * NAMES), distinct=2 * NAMES, longer=LONGER)
    more = held(deployment)

    city, tail = (more.counts["features"][name] for name in ("city", "tail"))
    assert (more.counts["events"], city["unseen"]) == (3 * NAMES, 3 * NAMES)
    assert sum(city["categories"].values()) == city["other"] == 0
    assert sum(tail["categories"].values()) == 3 * NAMES
    assert len(tail["categories"]) == 64
    # Panes hold greater numbers, which take a few digits more each, and no name.
    assert few.panes > 0
    assert more.panes - few.panes < NAMES // 3
    # What names take is taken twice; what a young worker takes for itself, of a busy machine more than this, once.
    assert min(many.worker - few.worker, more.worker - many.worker) < ALLOWED
    assert counts(deployment, NEIGHBOUR)["events"] == 3 * NAMES // 1000

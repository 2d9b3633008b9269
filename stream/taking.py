"""An assignment may take as long as it takes: Faust gives the seek of it no time-out.

Faust waits for ``perform_seek`` for one request's time-out, takes its end for the service's own and then neither resumes nor
looks at another assignment: the worker stayed a member that answers heartbeats, held its partitions and read nothing.  But what
an assignment waits for (plans of ten thousand models on a busy machine took 40 s) is over when it is over; a new assignment and
a stop end the wait as before.  With ``transport.py`` it knows what Faust keeps private.
"""

from __future__ import annotations

from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class UnhurriedRecovery(Recovery):
    """Faust's, of which this worker needs only what happens around ``perform_seek``: it has no tables."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        await super()._wait(coro)


class UnhurriedTables(TableManager):
    """Faust's, with that recovery."""

    @property
    def recovery(self) -> Recovery:
        """Made when it is first asked for."""
        if self._recovery is None:
            self._recovery = UnhurriedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

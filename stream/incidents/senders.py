"""Senders: close the gap between what each receiver should believe and what it may believe, one request at a time an address.

A request is written down before it is made (``Began``) and after it was answered (``Confirmed``, ``Failed``), each in a
turn of the owner.  The epoch is asked right before the request, because fencing Redis fences no vendor.  Requests run on
threads, so a receiver that hangs blocks only its own address, and P0 has threads of its own.  What the owner before had begun
is sent again only when its own request cannot arrive any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from alerting.deliveries import Call, Receipt
from alerting.document import message
from alerting.inputs import Began, Confirmed, Failed
from alerting.receivers.receiver import Receiver
from alerting.register import entries, plan
from stream.incidents.backoff import pause_s
from stream.incidents.kill_points import passing
from stream.incidents.owner import Owner
from stream.incidents.tenure import Ended, Tenure

log = logging.getLogger(__name__)

#: Threads are made when they are needed.  P0 has its own, as many as there may be addresses that hang at once.
THREADS, URGENT_THREADS = 30, 128
#: The answer to "is the epoch still ours" counts for so long.
FRESH_S = 1.0
_ORDER = {"open": 0, "close": 1, "note": 2, "update": 3}
_MISSING = "no receiver is built for this address (its secret is missing, or it left the monitors file)"


class Budget(Protocol):
    """The vendor's rate, shared by all workers."""

    async def seconds_until(self, call: Call) -> float:
        """0 where the request may be made now (and is counted), else how long to wait before asking again."""


@dataclass(slots=True)
class Lane:
    """One address: its task, and what it waits for after a failure."""

    task: asyncio.Task[None] | None = None
    failures: int = 0
    free_at: float = 0.0
    calls: list[Call] = field(default_factory=list)
    said: str = ""


class Senders:
    """``receivers`` tells those of the configuration in force by address, and older ones that may still be needed."""

    def __init__(
        self, owner: Owner, budget: Budget, *, receivers: Callable[[], Mapping[str, Receiver]], in_doubt_s: float
    ) -> None:
        self._receivers = receivers
        self._owner, self._budget, self._in_doubt_s = owner, budget, in_doubt_s
        self._changed = asyncio.Event()
        owner.listeners.append(self._changed)
        self._lanes: dict[str, Lane] = {}
        self._stopped = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="send")
        self._urgent = ThreadPoolExecutor(URGENT_THREADS, thread_name_prefix="send-p0")

    async def run(self) -> None:
        """Wait until something may have to be sent, and see to it that each address is served."""
        soonest = min((lane.free_at for lane in self._lanes.values() if lane.calls and _idle(lane)), default=None)
        wait_s = None if soonest is None else max(0.0, soonest - time.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        self._changed.clear()
        self._raise_bugs()
        tenure = self._owner.tenure
        for lane in self._lanes.values():
            lane.calls = []
        if tenure is not None:
            self._look(tenure)

    def stop(self) -> None:
        """Begin no more requests."""
        self._stopped = True
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()
        for pool in (self._threads, self._urgent):
            pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, tenure: Tenure) -> None:
        for call in wanted(tenure):
            self._lanes.setdefault(call.address, Lane()).calls.append(call)
        now = time.monotonic()
        for lane in self._lanes.values():
            if lane.calls and _idle(lane) and lane.free_at <= now:
                call = min(lane.calls, key=lambda call: (self._held_s(tenure, call) > 0, *_urgency(call)))
                lane.free_at = now + self._held_s(tenure, call)
                if lane.free_at <= now:
                    lane.task = asyncio.create_task(self._serve(tenure, lane, call=call))

    def _held_s(self, tenure: Tenure, call: Call) -> float:
        """How long a request of the owner before may still arrive."""
        if call.entry not in tenure.doubtful:
            return 0.0
        return max(0.0, tenure.since + self._in_doubt_s - time.monotonic())

    async def _serve(self, tenure: Tenure, lane: Lane, *, call: Call) -> None:
        try:
            with contextlib.suppress(Ended):
                await self._send(tenure, lane, call=call)
        finally:
            self._changed.set()

    async def _send(self, tenure: Tenure, lane: Lane, *, call: Call) -> None:
        wait_s = await self._owner.patience(lambda: self._budget.seconds_until(call))
        if wait_s:
            lane.free_at = time.monotonic() + wait_s
            return
        passing("before-begin")
        await self._owner.submit(tenure, Began(call.entry, call))
        passing("after-begin")
        receipt = await self._delivered(tenure, call)
        tenure.doubtful.discard(call.entry)
        self._note(lane, call, receipt)
        passing("before-confirm")
        if receipt.outcome == "ok":
            await self._owner.submit(tenure, Confirmed(call.entry, call, receipt.thread))
            tenure.unawaited.discard(call.address)
        else:
            await self._owner.submit(tenure, Failed(call.entry, call, receipt.outcome == "permanent", receipt.why))
        passing("after-confirm")

    async def _delivered(self, tenure: Tenure, call: Call) -> Receipt:
        receiver = self._receivers().get(call.address)
        if receiver is None:
            return Receipt("permanent", why=_MISSING)
        shown = message(tenure.state, tenure.state.entries[call.entry].incident, call, now=tenure.now)
        if not await self._owner.patience(lambda: self._owner.store.holds(tenure.epoch)):
            raise Ended
        if self._stopped:  # a library may have swallowed the cancellation
            raise Ended
        checked = time.monotonic()

        def deliver() -> Receipt:
            if time.monotonic() - checked > FRESH_S:
                return Receipt("retry", why="the request waited too long for a thread; it was not made")
            passing("before-send")
            began = time.perf_counter()
            receipt = receiver.deliver(call, shown)
            self._owner.tally.seconds.append((call.receiver_kind, time.perf_counter() - began))
            passing("after-send")
            return receipt

        pool = self._urgent if call.severity == "P0" else self._threads
        return await asyncio.get_running_loop().run_in_executor(pool, deliver)

    def _note(self, lane: Lane, call: Call, receipt: Receipt) -> None:
        tally = self._owner.tally
        tally.deliveries[(call.receiver_kind, call.kind, receipt.outcome)] += 1
        if receipt.outcome == "ok":
            if lane.failures:
                log.warning("%s takes requests again", call.address)
            lane.failures, lane.free_at, lane.said = 0, 0.0, ""
            tally.failing.discard(call.address)
            return
        lane.failures += 1
        wait_s = pause_s(lane.failures, retry_after_s=receipt.retry_after_s, jitter=random.random())
        lane.free_at = time.monotonic() + (wait_s if receipt.outcome == "retry" else 0.0)
        tally.failing.add(call.address)
        if receipt.why != lane.said:
            lane.said = receipt.why
            log.error("%s did not take a request (%s, %s): %s", call.address, call.kind, receipt.outcome, receipt.why)

    def _raise_bugs(self) -> None:
        """What a lane raised is a bug of ours: let whoever runs this know."""
        for lane in self._lanes.values():
            if lane.task is not None and lane.task.done() and not lane.task.cancelled():
                task, lane.task = lane.task, None
                task.result()


def wanted(tenure: Tenure) -> list[Call]:
    """Every request that the register of a tenure asks for now."""
    calls = (plan(tenure.state, entry.id, tenure.now) for entry in entries(tenure.state))
    return [call for call in calls if call is not None]


def _idle(lane: Lane) -> bool:
    return lane.task is None or lane.task.done()


def _urgency(call: Call) -> tuple[bool, int, str]:
    return call.severity != "P0", _ORDER[call.kind], call.entry

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
from functools import partial
from typing import Protocol

from alerting.deliveries import Call, Message, Receipt, ReceiverKind
from alerting.document import rendered
from alerting.inputs import Began, Confirmed, Failed
from alerting.receivers.receiver import Receiver
from alerting.register import planned, planned_again
from stream.incidents.backoff import pause_s
from stream.incidents.owner import Owner, breathed
from stream.incidents.tenure import Ended, Tenure
from stream.kill_points import passing

log = logging.getLogger(__name__)

#: Threads are made when they are needed.  P0 has its own, as many as there may be addresses that hang at once.
THREADS, URGENT_THREADS = 30, 128
#: The answer to "is the epoch still ours" counts for so long.
FRESH_S = 1.0
_ORDER = {"open": 0, "close": 1, "note": 2, "update": 3, "digest": 4}
#: A request that took longer may have arrived all the same; its thread is left behind.  An address leaves so many at most.
DEADLINE_S = 30.0
MOST_LEFT = 3
_GONE = "no receiver is built for this address: it left the monitors file"
_MISSING = "no receiver is built for this address yet: a secret or an endpoint of the configuration cannot be used"
_SLOW = "no whole answer within %g s; the request may have arrived"


class Budget(Protocol):
    """The vendor's rate, shared by all workers."""

    async def seconds_until(self, call: Call) -> float:
        """0 where the request may be made now (and is counted), else how long to wait before asking again."""


@dataclass(slots=True)
class Lane:
    """One address: its task, and what it waits for: after a failure, and for the budget of what is not P0.

    ``next_at`` is when the first of its calls may be made.
    """

    task: asyncio.Task[None] | None = None
    failures: int = 0
    free_at: float = 0.0
    others_at: float = 0.0
    next_at: float = 0.0
    calls: list[Call] = field(default_factory=list)
    said: str = ""
    left: set[asyncio.Future[Receipt]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Request:
    receiver: Receiver
    call: Call
    shown: Message


@dataclass(frozen=True, slots=True)
class _Gone:
    """Stands for an address that nothing leads to any more."""

    address: str
    kind: ReceiverKind

    def registered(self, call: Call, message: Message) -> None:
        return None

    def deliver(self, call: Call, message: Message) -> Receipt:
        return Receipt("permanent", why=_GONE)


class Senders:
    """``receivers`` tells those of the configuration in force by address, and older ones that may still be needed.

    ``complete`` tells whether all of that configuration's are there: only then is an address without one given up.
    """

    def __init__(
        self,
        owner: Owner,
        budget: Budget,
        *,
        receivers: Callable[[], Mapping[str, Receiver]],
        complete: Callable[[], bool] = lambda: False,
        in_doubt_s: float,
    ) -> None:
        self._receivers, self._complete = receivers, complete
        self._owner, self._budget, self._in_doubt_s = owner, budget, in_doubt_s
        self._changed = asyncio.Event()
        owner.listeners.append(self._changed)
        self._lanes: dict[str, Lane] = {}
        self._stopped = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="send")
        self._urgent = ThreadPoolExecutor(URGENT_THREADS, thread_name_prefix="send-p0")

    async def run(self) -> None:
        """Wait until something may have to be sent, and see to it that each address is served."""
        soonest = min((lane.next_at for lane in self._lanes.values() if lane.calls and _idle(lane)), default=None)
        wait_s = None if soonest is None else max(0.0, soonest - time.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        self._changed.clear()
        self._raise_bugs()
        tenure = self._owner.tenure
        for lane in self._lanes.values():
            lane.calls = []
        if tenure is not None and tenure.unread is None:
            await self._look(tenure)

    def stop(self) -> None:
        """Begin no more requests."""
        self._stopped = True
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()
        for pool in (self._threads, self._urgent):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self, tenure: Tenure) -> None:
        """List what there is to call, a slice at a time, and have each address that is idle make its first call."""
        state = tenure.state
        for call in await breathed(planned(state, tenure.now)):
            self._lanes.setdefault(call.address, Lane()).calls.append(call)
        self._raise_bugs()
        now = time.monotonic()
        for lane in self._lanes.values():
            if lane.calls and _idle(lane):
                lane.next_at, call = next_call(lane, now=now, held_s=partial(self._held_s, tenure))
                again = call if tenure.state is state else planned_again(tenure.state, call, tenure.now)
                if (
                    lane.next_at <= now and tenure.live and again is not None
                ):  # else a turn has come between: look again
                    lane.task = asyncio.create_task(self._serve(tenure, lane, call=again))

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
        if wait_s and call.severity == "P0":
            lane.free_at = time.monotonic() + wait_s
        elif wait_s:
            lane.others_at = time.monotonic() + wait_s
        if wait_s:
            return
        receiver = self._receiver(lane, call)
        shown = _shown(tenure, call)
        if receiver is None or shown is None:
            return
        passing("before-begin")
        shown = await self._begun(tenure, _Request(receiver, call, shown))
        passing("after-begin")
        receipt = await self._delivered(tenure, lane, _Request(receiver, call, shown))
        tenure.doubtful.discard(call.entry)
        self._note(lane, call, receipt)
        passing("before-confirm")
        await self._owner.submit(tenure, _reported(call, receipt))
        if receipt.outcome == "ok":
            tenure.unawaited.discard(call.address)
        passing("after-confirm")

    async def _begun(self, tenure: Tenure, planned: _Request) -> Message:
        """Write down what is about to be sent, and what is shown then: newer, where more happened meanwhile."""
        receiver, call, shown = planned.receiver, planned.call, planned.shown
        while True:
            thread = receiver.registered(call, shown)
            await self._owner.submit(tenure, Began(call.entry, call, thread))
            # An entry that this settled is gone, and its last word is still to be said.
            newer = _shown(tenure, call) or shown
            if receiver.registered(call, newer) == thread:
                return newer
            if call.kind == "note":  # begun once: by now there may be another one to say
                return shown
            shown = newer

    def _receiver(self, lane: Lane, call: Call) -> Receiver | None:
        """None where the request has to wait for one."""
        found = self._receivers().get(call.address)
        if found is None and self._complete():
            return _Gone(call.address, call.receiver_kind)
        if found is None:
            self._note(lane, call, Receipt("retry", why=_MISSING))
        elif len(lane.left) >= MOST_LEFT:
            self._note(lane, call, Receipt("retry", why=f"{len(lane.left)} requests have not ended"))
            found = None
        return found

    async def _delivered(self, tenure: Tenure, lane: Lane, request: _Request) -> Receipt:
        if not await self._owner.patience(lambda: self._owner.store.holds(tenure.epoch)):
            raise Ended
        if self._stopped:  # a library may have swallowed the cancellation
            raise Ended
        pool = self._urgent if request.call.severity == "P0" else self._threads
        checked = time.monotonic()
        answer = asyncio.get_running_loop().run_in_executor(pool, self._made, request, checked)
        await asyncio.wait({answer}, timeout=DEADLINE_S)
        if answer.done():
            return answer.result()
        lane.left.add(answer)
        answer.add_done_callback(lane.left.discard)
        return Receipt("retry", why=_SLOW % DEADLINE_S)

    def _made(self, request: _Request, checked: float) -> Receipt:
        """On a thread: make the request, if the epoch was asked a moment ago."""
        if time.monotonic() - checked > FRESH_S:
            return Receipt("retry", why="the request waited too long for a thread; it was not made")
        passing("before-send")
        began = time.perf_counter()
        receipt = request.receiver.deliver(request.call, request.shown)
        self._owner.tally.seconds.append((request.call.receiver_kind, time.perf_counter() - began))
        passing("after-send")
        return receipt

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


def _shown(tenure: Tenure, call: Call) -> Message | None:
    """What the receiver renders; None where what the call is about is not known any more."""
    return rendered(tenure.state, call, now=tenure.now)


def _reported(call: Call, receipt: Receipt) -> Confirmed | Failed:
    if receipt.outcome == "ok":
        return Confirmed(call.entry, call, receipt.thread)
    return Failed(call.entry, call, receipt.outcome == "permanent", receipt.why, receipt.secret)


def next_call(lane: Lane, *, now: float, held_s: Callable[[Call], float]) -> tuple[float, Call]:
    """When which of a lane's calls is made next: the first that may be, of several the most urgent.

    A P0 waits for nothing that only others have to wait for: their share of the budget, and what may still arrive.
    """

    def free_at(call: Call) -> float:
        rest = lane.free_at if call.severity == "P0" else max(lane.free_at, lane.others_at)
        return max(rest, now + held_s(call))

    return min(((free_at(call), call) for call in lane.calls), key=lambda one: (one[0], *_urgency(one[1])))


def _idle(lane: Lane) -> bool:
    return lane.task is None or lane.task.done()


def _urgency(call: Call) -> tuple[bool, int, str, str]:
    return call.severity != "P0", _ORDER[call.kind], call.severity, call.entry

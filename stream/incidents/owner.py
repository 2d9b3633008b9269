"""The incident owner: the one writer of incidents.  Findings and actions in; a fenced turn out; senders and relay are woken.

Whatever changes the state passes through ``run``: records of the inputs, what the senders report, a new configuration and
the passing of time.  A turn holds at most ``MOST`` of them and is stored whole; only what is stored is seen by anybody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from alerting.inputs import Input
from alerting.policy import Policy
from alerting.records import changes, restored
from alerting.state import State
from alerting.step import next_due
from stream.incidents.feeding import Broken, Feeding, Step
from stream.incidents.inbox import Arrival
from stream.incidents.jumps import Watch, stepped_back
from stream.incidents.store import IncidentStore, Turn
from stream.incidents.tally import OwnerTally
from stream.incidents.tenure import Ended, Tenure
from stream.incidents.writes import Changed, documents, forgetting, parts, written_by
from stream.kill_points import passing
from stream.state.patience import Patience

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST = 200
#: Ended incidents are kept so many, and so long by the owner's clock.
MOST_ENDED = 10_000
KEEP_ENDED_MS = 400 * 86_400_000
#: A turn gives the event loop back after this long, and goes on at once.
SLICE_S = 0.005
#: So many pieces of a table are freed at once: up to a millisecond.
FREED = 100
#: Event time waits this long for a receiver to be told, then goes on without it.
LOCK_STEP_S = 30.0
#: Longest sleep of the driver: due times further away are looked at again.
LONGEST_SLEEP_S = 60.0


class Owner:
    """``tenure`` is set while this process owns; ``changed`` is set after every turn, for senders and relay.

    ``lost`` is awaited with the tenure when a write was refused, ``refused`` with the inputs that the core raised at, before
    they are passed.
    """

    def __init__(self, store: IncidentStore, *, lock_step: bool, patience: Patience, tally: OwnerTally) -> None:
        self.store, self.tally, self.patience = store, tally, patience
        self.lock_step = lock_step
        self.tenure: Tenure | None = None
        self.listeners: list[asyncio.Event] = []
        self.lost: Callable[[Tenure], Awaitable[None]] | None = None
        self.refused: Callable[[Tenure, Sequence[Broken]], Awaitable[None]] | None = None
        self._wake = asyncio.Event()
        self._watch = Watch()

    def begin(self, tenure: Tenure) -> None:
        """Own from now on."""
        self.end()
        self.tenure = tenure
        self.tally.note_ownership(tenure.state)
        self._tell()
        self._wake.set()

    def end(self) -> None:
        """Own no more: what is in memory is dropped."""
        if self.tenure is not None:
            self.tenure.end()
        self.tenure = None
        self.tally.note_loss()
        self._tell()

    def add(self, arrivals: Iterable[Arrival]) -> None:
        """Take in records of an input."""
        if self.tenure is not None:
            for arrival in arrivals:
                self.tenure.inbox.add(arrival)
            self._wake.set()

    async def submit(self, tenure: Tenure, given: Input) -> None:
        """Feed what one of the owner's own hands reports; returns once it is stored.

        :raises Ended: the tenure is over, and nothing was stored.
        """
        if not tenure.live:
            raise Ended
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tenure.own.append((given, stored))
        self._wake.set()
        await stored

    async def equip(self, tenure: Tenure, policy: Policy) -> None:
        """A tenure that began without a configuration has its first; until then nothing was decided."""
        tenure.state = await asyncio.to_thread(restored, tenure.unread or {}, policy)
        tenure.unread = None
        self._wake.set()
        self._tell()

    async def forget(self) -> None:
        """Have the next turn remove ended incidents whose time is over; what is left is removed at the next call."""
        tenure = self.tenure
        if tenure is None:
            return
        oldest = tenure.now - KEEP_ENDED_MS
        found = await self.patience(lambda: self.store.outlived(most=MOST_ENDED, older_than_ms=oldest))
        tenure.outlived = [one for one in found if one not in tenure.state.incidents][:MOST]
        if tenure.outlived:
            self._wake.set()

    async def run(self) -> None:
        """Wait until there is something to do, and do one turn of it."""
        await self._something()
        self._wake.clear()
        tenure = self.tenure
        if tenure is not None and tenure.unread is None and await self._turn(tenure):
            self._wake.set()

    async def _something(self) -> None:
        try:
            async with asyncio.timeout(self._sleep_s()):  # ``wait_for`` of Python 3.11 may swallow a cancellation
                await self._wake.wait()
        except TimeoutError:
            tenure = self.tenure
            if tenure is not None and tenure.blocked and self._waited_s(tenure) >= LOCK_STEP_S:
                log.error("event time goes on although nobody at %s was told", ", ".join(sorted(tenure.blocked)))
                tenure.unawaited |= tenure.blocked

    def _sleep_s(self) -> float:
        tenure = self.tenure
        if tenure is None or tenure.unread is not None:
            return LONGEST_SLEEP_S
        if tenure.blocked:
            return max(0.01, LOCK_STEP_S - self._waited_s(tenure))
        due = None if self.lock_step else next_due(tenure.state)
        return LONGEST_SLEEP_S if due is None else min(LONGEST_SLEEP_S, max(0.001, (due - tenure.now) / 1000))

    def _waited_s(self, tenure: Tenure) -> float:
        return time.monotonic() - (tenure.blocked_since or time.monotonic())

    async def _turn(self, tenure: Tenure) -> bool:
        """Feed and store; True where more waits."""
        state, now = (tenure.state, tenure.now) if self.lock_step else await self._looked(tenure)
        given = [one for one, _ in tenure.own]
        feeding = Feeding(state, now, tenure.inbox, self.lock_step, tenure.unawaited)
        del state  # nobody holds the one before longer than it is needed
        waiting_for = len(given)
        await _stepped(feeding.turn(given, now=now, most=MOST))
        own = tenure.own[: waiting_for - len(given)]
        del tenure.own[: len(own)]
        if feeding.broken and self.refused is not None:
            await self.refused(tenure, feeding.broken)
        stored = await self._stored(tenure, feeding)
        for _, waiting in own:
            if not waiting.done():
                waiting.set_result(None) if stored else waiting.set_exception(Ended())
        await _let_go(feeding.left)
        return stored and feeding.more

    async def _looked(self, tenure: Tenure) -> tuple[State, int]:
        """Live: the state by Redis' clock as it is now, and that; a clock that was set is noticed and said."""
        now = await self.patience(self.store.now_ms)
        ahead = self._watch.ahead_ms(redis_ms=now, process_ms=int(time.monotonic() * 1000))
        back = stepped_back(tenure.state, tenure.now, now)
        self.tally.clock_jumps += (ahead > 0) + (back is not None)
        return (tenure.state, max(tenure.now, now)) if back is None else (back, now)

    async def _stored(self, tenure: Tenure, feeding: Feeding) -> bool:
        """Store what was fed; False where the tenure has ended."""
        self._note_blocked(tenure, feeding)
        consumed = tenure.inbox.consumed()
        offsets = {topic: (tenure.stored[topic], end) for topic, end in consumed.items() if end != tenure.stored[topic]}
        gathered = _beside if feeding.wide else breathed
        changed = Changed(
            dict(await gathered(changes(tenure.state, feeding.state))),
            dict(await gathered(documents(tenure.state, feeding.state))),
            dict(await gathered(parts(tenure.state, feeding.state))),
        )
        marks = {name: at for name, at in tenure.inbox.marks().items() if tenure.marks.get(name) != at}
        outlived = [
            one for one in tenure.outlived if one not in feeding.state.incidents and one not in changed.documents
        ]
        tenure.outlived = []
        if not (changed or offsets or feeding.answers or marks or outlived):
            tenure.now = feeding.now
            return tenure.live
        written = written_by(
            tenure.state, feeding.state, changed=changed, answers=feeding.answers, marks=marks, orders=feeding.orders
        )
        writes = await gathered(written)
        turn = Turn(tenure.epoch, tenure.turn + 1, offsets, [*writes, *forgetting(outlived)])
        if not await self._committed(tenure, turn):
            return False
        self.tally.note_incidents(tenure.state, feeding.state)
        tenure.state, tenure.now, tenure.turn = feeding.state.without_left(), feeding.now, turn.number
        tenure.stored.update(consumed)
        tenure.marks.update(marks)
        self._note(tenure, feeding)
        return True

    async def _committed(self, tenure: Tenure, turn: Turn) -> bool:
        passing("before-commit")
        began = time.perf_counter()
        outcome = await self.patience(lambda: self.store.commit(turn))
        self.tally.note_commit(time.perf_counter() - began)
        passing("after-commit")
        if outcome == "stored" and tenure.live:
            return True
        if outcome != "stored":
            log.warning("this worker owns the incidents no more (%s)", outcome)
            self.tally.fenced += 1
        if self.tenure is tenure:
            self.end()
        tenure.end()
        if self.lost is not None and outcome != "stored":
            await self.lost(tenure)
        return False

    def _note(self, tenure: Tenure, feeding: Feeding) -> None:
        for finding in feeding.findings:
            self.tally.findings[finding.state] += 1
        self.tally.inbox = len(tenure.inbox)
        self._tell()

    def _note_blocked(self, tenure: Tenure, feeding: Feeding) -> None:
        if feeding.blocked and (not tenure.blocked or feeding.now > tenure.now):  # time has moved: this is another wait
            tenure.blocked_since = time.monotonic()
        tenure.blocked = set(feeding.blocked)

    def _tell(self) -> None:
        for listener in self.listeners:
            listener.set()


async def _stepped(steps: Iterable[Step]) -> None:
    """Take steps, a slice at a time, and those that are wide on a thread: nothing else changes the state meanwhile."""
    began = time.perf_counter()
    for one in steps:
        if one.wide:
            await asyncio.to_thread(one.take)
        else:
            one.take()
        if one.wide or time.perf_counter() - began > SLICE_S:
            await asyncio.sleep(0)
            began = time.perf_counter()


async def _let_go(states: list[State]) -> None:
    """Free states of which a wide step made others, a part at a time: ten thousand findings at once would take 10 ms."""
    pieces = [piece for state in states for one in state.incidents.values() for piece in one.members.pieces()]
    states.clear()
    while pieces:
        del pieces[-FREED:]
        await asyncio.sleep(0)


async def breathed(work: Iterable[T]) -> list[T]:
    """What comes of some work, done a slice at a time."""
    done: list[T] = []
    began = time.perf_counter()
    for one in work:
        done.append(one)
        if time.perf_counter() - began > SLICE_S:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return done


async def _beside(work: Iterable[T]) -> list[T]:
    """The same, on a thread: where many members have changed, one document takes long."""
    return await asyncio.to_thread(list, work)

"""One turn of the incident owner, step by step: due times in order, what the owner's own hands report, and the inbox.

Here it is decided what comes next; whoever drives takes each :class:`Step`, at once or, where it is wide, on a thread.

Due times up to an input's ``now`` are fired before the input.  In event time there is a lock-step besides: time does not move
while somebody still has to be told that an incident opened or closed, so that a year that is replayed in half a minute tells
every receiver what the year itself would have told it.

An input that makes the core raise is a bug of ours, and would be read again by every owner after this one: it is put aside, and
the state stays as it was before it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

from alerting.breadth import is_wide, is_wide_due
from alerting.inputs import Input, Tick
from alerting.refreshes import Refreshes
from alerting.register import untold
from alerting.state import State
from alerting.step import AT_ONCE, fire, is_due, next_due, step
from schemas.actions import OrderRelease
from schemas.answers import Answer
from schemas.findings import Finding, Progress
from stream.incidents.answers import answer, passed_on
from stream.incidents.inbox import Arrival, Fed, Inbox, Message

log = logging.getLogger(__name__)

_BUG = Answer(False, "a bug of driftline kept it from being done, and nothing was changed; `driftline dlq ls` shows it")


#: So many findings are taken at once: a millisecond or two.
TOGETHER = 64


class Step:
    """A step of the core that is to be taken: a pure function, so a thread may run it; where it is ``wide`` one should."""

    def __init__(self, make: Callable[[], State], *, wide: bool) -> None:
        self.wide = wide
        self._make = make
        self._made: State | Exception | None = None

    def take(self) -> None:
        """Take it; what it raises is kept."""
        try:
            self._made = self._make()
        except Exception as bug:
            self._made = bug

    def state(self) -> State:
        """The state that it made; raises what it raised."""
        if isinstance(self._made, Exception):
            raise self._made
        assert self._made is not None, "a step that nobody took"
        return self._made


@dataclass(frozen=True, slots=True)
class Broken:
    """An input that nothing could be decided by, and the last line of the traceback."""

    arrival: Arrival
    message: Message
    why: str


@dataclass(slots=True)
class Feeding:
    """``state`` and ``now`` as they become; ``lock_step`` is the clock of event time, ``unawaited`` the addresses given up.

    ``orders`` are the newest orders of releases by model, for whoever evaluates it. ``blocked`` holds the addresses that time
    waits for, ``broken`` the inputs that were put aside; ``wide``: a step was; ``left`` are the states that wide steps were taken
    from.
    """

    state: State
    now: int
    inbox: Inbox
    lock_step: bool
    unawaited: Collection[str] = ()
    blocked: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)
    orders: dict[str, OrderRelease] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    more: bool = True
    wide: bool = False
    left: list[State] = field(default_factory=list)
    _free_at: State | None = None

    def turn(self, own: list[Input], *, now: int, most: int) -> Iterator[Step]:
        """The steps of at most so many things, one by one; ``more`` says afterwards whether there are more.

        Live it is ``now``: every due time up to it fires first, in order, a few incidents at a time.  ``own`` is fed from its
        start, and what was fed is taken out.
        """
        left, self.more = most, True
        while left > 0 and self.more:
            if is_due(self.state, now):
                yield from self._fire()
                left -= AT_ONCE
            elif own:
                self.now = max(self.now, now)
                yield from self._stepped(own.pop(0))
                left -= 1
            else:
                self.now = max(self.now, now)
                fed = yield from self._refreshed(min(left, TOGETHER))
                if not fed:
                    self.more = yield from self._one()
                left -= fed or 1

    def _one(self) -> Generator[Step, None, bool]:
        """Feed one thing from the inbox, or fire one due time before it; False where there is nothing, or time must wait."""
        self.blocked = set()
        fed = self.inbox.first(self.now)
        if fed is None or (fed.now > self.now and not self._may_move()):
            return False
        if is_due(self.state, fed.now):
            yield from self._fire()
            return True
        self.now = max(self.now, fed.now)
        self.inbox.drop_first()
        if fed.arrival is None:
            yield from self._stepped(Tick())
        else:
            yield from self._feed(fed.arrival)
        return True

    def _refreshed(self, most: int) -> Generator[Step, None, int]:
        """Feed what comes next in the inbox as far as it is refreshes, so many at most: how many it was."""
        run, taken = Refreshes(self.state), list[tuple[int, Arrival | None]]()
        while len(taken) < most:
            fed = self.inbox.first(self.now)
            if fed is None or (fed.now > self.now and not self._may_move()) or not _taken(run, fed):
                break
            self.inbox.drop_first()
            self.now = max(self.now, fed.now)
            taken.append((self.now, fed.arrival))
        if taken:
            yield from self._finish(run, taken)
        return len(taken)

    def _finish(self, run: Refreshes, taken: list[tuple[int, Arrival | None]]) -> Iterator[Step]:
        """Refreshes change nothing that anybody waits for: time that might move may go on."""
        free, self.blocked = self._free_at is self.state, set()
        finish = Step(run.finished, wide=False)
        yield finish
        try:
            self.state = finish.state()
        except Exception as bug:
            log.error("a bug: findings that only repeat others are taken one by one", exc_info=bug)
            yield from self._one_by_one(taken)
            return
        self._free_at = self.state if free else None
        self.findings.extend(a.message for _, a in taken if a is not None and isinstance(a.message, Finding))

    def _one_by_one(self, taken: list[tuple[int, Arrival | None]]) -> Iterator[Step]:
        for self.now, arrival in taken:
            if arrival is None:
                yield from self._stepped(Tick())
            else:
                yield from self._feed(arrival)

    def _stepped(self, given: Input) -> Iterator[Step]:
        return self._taken(partial(step, self.state, given, self.now), wide=is_wide(self.state, given))

    def _fire(self) -> Iterator[Step]:
        """Fire what is due first."""
        due = next_due(self.state) or 0
        self.now = max(self.now, due)
        return self._taken(partial(fire, self.state), wide=is_wide_due(self.state, due))

    def _taken(self, make: Callable[[], State], *, wide: bool) -> Iterator[Step]:
        one = Step(make, wide=wide)
        self.wide |= wide
        yield one
        made = one.state()
        if wide:
            self.left.append(self.state)
        self.state = made

    def _feed(self, arrival: Arrival) -> Iterator[Step]:
        message = arrival.message
        if message is None:
            return
        try:
            yield from self._decide(arrival, message)
        except Exception as bug:
            self._put_aside(arrival, message, bug)

    def _decide(self, arrival: Arrival, message: Message) -> Iterator[Step]:
        if isinstance(message, OrderRelease):
            self.orders[message.model], self.answers[_name(arrival)] = message, passed_on(message)
            return
        said = None if isinstance(message, Finding | Progress) else answer(self.state, message)
        yield from self._stepped(message)
        if isinstance(message, Finding):
            self.findings.append(message)
        elif said is not None:
            self.answers[_name(arrival)] = said

    def _put_aside(self, arrival: Arrival, message: Message, bug: Exception) -> None:
        log.error("a bug: nothing is decided by %s:%d:%d", *_place(arrival), exc_info=bug)
        if not isinstance(message, Finding | Progress):
            self.answers[_name(arrival)] = _BUG
        self.broken.append(Broken(arrival, message, traceback.format_exception_only(bug)[-1].strip()))

    def _may_move(self) -> bool:
        """Live, always; in event time once nobody is left to be told."""
        if not self.lock_step or self.state is self._free_at:
            return True
        self.blocked = untold(self.state, self.now) - set(self.unawaited)
        if not self.blocked:
            self._free_at = self.state
        return not self.blocked


def _taken(run: Refreshes, fed: Fed) -> bool:
    """Whether a thing is a refresh, or only time that passes, and was taken as such; what raises is left to ``step``."""
    if fed.arrival is None:
        return run.pass_to(fed.now)
    message = fed.arrival.message
    try:
        if isinstance(message, Finding):
            return run.take(message, fed.now)
        return isinstance(message, Progress) and run.hear(message, fed.now)
    except Exception as bug:
        log.error("a bug: a finding is taken by itself", exc_info=bug)
        return False


def _name(arrival: Arrival) -> str:
    """What an action's answer is stored under."""
    return getattr(arrival.message, "nonce", "") or f"{arrival.partition}:{arrival.offset}"


def _place(arrival: Arrival) -> tuple[str, int, int]:
    return arrival.topic, arrival.partition, arrival.offset

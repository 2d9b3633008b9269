"""Evaluation of the shards that this worker holds: at each poll, whatever became complete is closed, judged and stored.

A poll costs one read of every partition's offset hash; only when a watermark passed the end of a pane, or an event came late,
are notes read and units worked on.  A model that cannot be evaluated is said once and tried again later; it hurts no other.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from redis.asyncio import Redis

from schemas.errors import StoreError
from schemas.gpus import FLEET
from schemas.names import TOPICS_IN, Names, Stream
from stream.evaluate.closing.arms import arms_among, close_arms
from stream.evaluate.closing.backlog import Backlog
from stream.evaluate.closing.closing import Desk, Due, Refused, close
from stream.evaluate.closing.polls import Poll, polls_of, seen_at
from stream.evaluate.closing.revising import revise
from stream.evaluate.closing.roll import Roll
from stream.evaluate.closing.roster import newer_roster
from stream.evaluate.closing.silence import Listening
from stream.evaluate.closing.stream_states import StreamStates
from stream.evaluate.closing.unit import Unit
from stream.evaluate.columns.watched import Watched
from stream.evaluate.following import Follower, Followers
from stream.evaluate.panes.clocks import PartitionState
from stream.evaluate.releases.units import Recall
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import Commits
from stream.evaluate.storing.lanes import in_lanes
from stream.evaluate.storing.leases import Leases
from stream.evaluate.storing.merged import Merged
from stream.evaluate.storing.notes import Note, Notes
from stream.evaluate.storing.post import Post
from stream.evaluate.storing.sealing import Partitions, Sealing
from stream.evaluate.storing.shards import shard_of
from stream.evaluate.storing.tally import EvaluationTally
from stream.state.clock import read_now
from stream.state.generations import Stamp, read_stamp
from stream.state.patience import Patience

log = logging.getLogger(__name__)
#: What has a turn of its own: a model's stream, or what follows it.
Evaluated = TypeVar("Evaluated", Unit, Follower)
#: A model that could not be evaluated is tried again after so many polls.
AGAIN_AFTER_POLLS = 120
#: Streams that nobody evaluates are looked at every so many polls.
MIND_EVERY_POLLS = 10
#: Notes of a model that is not in force are kept so long (event time): it may have been left out by mistake.
ABANDONED_AFTER_MS = 86_400_000
#: Notes that are kept until they are forgotten together.
FORGET_AT_ONCE = 1_000


class Evaluator:
    """``tend`` keeps the leases, ``run_once`` evaluates; both are called again and again.

    :param event_clock: decisions are dated by event time (pane end and lateness), not by Redis' clock.
    :param sent: told which models have messages in their outboxes; ``recall``: where releases stood before Redis was emptied.
    """

    def __init__(
        self, redis: Redis, names: Names, *, worker: str, partitions: Partitions, keep_ms: int, event_clock: bool,
        patience: Patience, sent: Callable[[Sequence[str]], None], tally: EvaluationTally | None = None,
        recall: Recall | None = None,
    ) -> None:  # fmt: skip
        self.tally = tally or EvaluationTally()
        self._redis, self._names, self._event_clock, self._sent = redis, names, event_clock, sent
        self._breath = Breath()
        self._asking = asking = Asking(patience, self._breath)
        self.leases = Leases(redis, names, worker=worker, asking=Asking(patience, Breath()))
        self._sealing = Sealing(redis, names, partitions=partitions, asking=asking)
        post = Post(redis)
        self._desk = Desk(
            Merged(redis, names, asking=asking, post=post),
            Commits(redis, names, keep_ms=keep_ms, asking=asking, post=post),
            Notes(redis, names, asking=asking), self.tally, sent,
        )  # fmt: skip
        self._roll = Roll(redis, names, asking=asking)
        self._listening = Listening(redis, names, desk=self._desk, asking=asking)
        self._followers = Followers(redis, names, roll=self._roll, desk=self._desk, asking=asking, recall=recall)
        self._stamp: Stamp | None = None
        self._marks: dict[Stream, object] = {}
        self._streams = StreamStates(self._sealing, longest=self._roll.longest_window_ms)
        self._done: dict[str, list[Note]] = defaultdict(list)
        self._failed: dict[tuple[str, str], int] = {}
        self._said: set[str] = set()

    async def tend(self) -> None:
        """Keep, take and give back leases; to be called three times within their life."""
        try:
            await self.leases.tend()
        except StoreError as error:
            self._say(f"leases cannot be kept: {error}")

    async def leave(self) -> None:
        """Give back every lease."""
        await self.leases.leave()

    def held(self) -> list[Watched]:
        """The models whose lease is held at this moment, as their next predictions are judged: whose series to show."""
        units = self._roll.units["predictions"].values()
        return [unit.phase.watched for unit in units if self.leases.token(self._roll.shard(unit.model)) is not None]

    async def run_once(self) -> None:
        """Evaluate everything that became complete since the last call."""
        self._breath.begin()
        try:
            await self._evaluate_all()
        except StoreError as error:  # of what all models share; a model's own hurts it alone
            self._marks.clear()
            self._say(f"nothing is evaluated: {error}")
        self._breath.end()
        tally = self.tally
        tally.polls, tally.shards = tally.polls + 1, len(self.leases.tokens)
        tally.seconds, tally.longest_hold_s = self._breath.busy_s, self._breath.longest_s

    async def _evaluate_all(self) -> None:
        await self._follow()
        gained = await self._roll.agree(self.leases.tokens)
        for model, error in self._roll.unfit.items():
            self._say(f"model {model!r} is not evaluated: {error}", error=error)
        for model in gained:
            self._listening.forget(model)
        if gained:
            self._sent(gained)
            self._marks.clear()
        now = await self._asking(lambda: read_now(self._redis, self._names))
        await in_lanes(TOPICS_IN, partial(self._evaluate, now=now), breath=self._breath)
        followers = await self._followers.due(able=self._is_able, silent=self._streams.silent)
        await in_lanes(followers, partial(self._after, now=now), breath=self._breath)

    async def _after(self, follower: Follower, *, now: int) -> None:
        poll = Poll(now, follower.closed, (), *self._streams.of({side.stream for side in follower.sides}))
        await self._guarded(follower, poll, self._followers.work)

    async def _follow(self) -> None:
        try:
            found = await newer_roster(self._redis, self._names, self._stamp, asking=self._asking)
        except StoreError as error:
            self._say(str(error))
            return
        if found is not None:
            self._stamp, roster = found
            self._roll.follow(roster)
            self._marks.clear()
            self._failed.clear()

    async def _evaluate(self, stream: Stream, *, now: int) -> None:
        units = self._roll.units[stream]
        partitions = await self._sealing.poll(stream) if units or self._minds() else []
        await self._streams.look(stream, partitions, paces=(await self._roll.paces(stream)).kinds if partitions else ())
        if not (partitions and units):
            self.tally.backlog.pop(stream, None)
            return
        for unit, error in await self._roll.load(stream):
            self._fail(unit, error)
        ends, state = (await self._roll.paces(stream)).ends(partitions), self._streams.of([stream])
        mark = (ends, sum(partition.revisions for partition in partitions), len(partitions), state)
        if self._marks.get(stream) != mark or self._is_time_to_retry():
            self._marks[stream] = mark
            polls = polls_of(units.values(), partitions, now=now, state=state)
            await self._breath()
            try:
                await self._close(stream, polls, end_ms=max(ends))
            finally:
                self._roll.turn += 1
        if not self._event_clock:
            await self._hear(stream, partitions, now=now)

    async def _hear(self, stream: Stream, partitions: Sequence[PartitionState], *, now: int) -> None:
        """Listen to the models whose silence is a verdict, as often as each is to be."""
        listening, state = (await self._roll.paces(stream)).listening, self._streams.of([stream])
        units = {unit.model: unit for unit in self._listening.due(listening, now_ms=now, rebuilding=state[1].running)}
        for model, poll in polls_of(units.values(), partitions, now=now, state=state).items():
            await self._guarded(units[model], poll, self._listen)

    def _minds(self) -> bool:
        """Whether to look, now and then, at streams that nobody evaluates: one worker does, so that what is over ends there."""
        return self.tally.polls % MIND_EVERY_POLLS == 0 and self.leases.token(shard_of(FLEET)) is not None

    async def _close(self, stream: Stream, polls: Mapping[str, Poll], *, end_ms: int) -> None:
        partitions = next(iter(polls.values())).partitions
        # In this order, see :mod:`stream.evaluate.storing.sealing`.
        await self._sealing.seal(stream, partitions, end_ms=end_ms)
        notes = await self._desk.notes.read(stream, range(len(partitions)))
        await self._drop(stream, notes, before_ms=end_ms - ABANDONED_AFTER_MS)
        backlog = Backlog(notes, polls)
        for unit in list(self._roll.units[stream].values()):
            backlog.look(unit, able=self._is_able(unit))
            await self._breath()
        self.tally.backlog[stream] = backlog.panes

        async def one(unit: Unit) -> None:
            await self._guarded(unit, polls[unit.model], partial(self._one, notes=notes.get(unit.model, [])))
            self.tally.backlog[stream] -= backlog.worked(unit)

        await in_lanes(backlog.units, one, breath=self._breath)
        await self._forget(stream)

    async def _one(self, unit: Unit, due: Due, *, notes: Sequence[Note]) -> None:
        layouts = await self._roll.layouts(unit, notes)
        arms = arms_among(layouts)
        own = [note for note in notes if note.layout not in arms]
        late = [note for note in own if unit.last is not None and note.start_ms < unit.last]
        done: list[Note] = []
        if late:
            done += await revise(self._desk, unit, late, due=due, layouts=layouts)
            done += [note for note in late if note.layout not in layouts]  # nothing tells any more what they counted
        done += await close(self._desk, unit, own, due=due)
        done += await close_arms(self._desk, unit, notes, due=due, layouts=arms)
        waiting = self._done[unit.stream]
        waiting += done
        if len(waiting) >= FORGET_AT_ONCE:
            await self._forget(unit.stream)

    async def _drop(self, stream: str, notes: Mapping[str, Sequence[Note]], *, before_ms: int) -> None:
        """Forget old notes of models that are not in force.

        Whoever looks may be behind: a note of a model that came into force meanwhile was made after its generation was
        published, so one that was read while ours was still the newest is of no such model.
        """
        others = [note for model in notes.keys() - set(self._roll.models) for note in notes[model]]
        old = [note for note in others if note.start_ms < before_ms]
        if old and await self._asking(lambda: read_stamp(self._redis, self._names)) == self._stamp:
            await self._desk.notes.forget(stream, old)

    async def _forget(self, stream: str) -> None:
        """What is stored needs no note; a stop before it is forgotten only has it merged again."""
        done, self._done[stream] = self._done[stream], []
        if not await self._desk.notes.forget(stream, done):
            self._roll.anew(stream)
            self._marks.clear()

    async def _listen(self, unit: Unit, due: Due) -> None:
        await self._listening.listen(unit, due=due, now_ms=due.seen(0))

    async def _guarded(self, unit: Evaluated, poll: Poll, work: Callable[[Evaluated, Due], Awaitable[None]]) -> None:
        """Work on a unit, if its shard is ours; whatever goes wrong with it goes wrong with it alone."""
        token = self.leases.token(self._roll.shard(unit.model))
        if token is None:  # its lease may have run out: what was passed over is looked at again
            self._marks.clear()
            return
        if self._is_failed(unit):
            return
        lateness = unit.phase.watched.monitor.lateness_ms
        seen = seen_at(poll.now, lateness_ms=lateness, event_clock=self._event_clock)
        try:
            await work(unit, Due(token, poll.watermark, poll.partitions, poll.warming, seen, poll.rebuild))
        except Refused as refused:
            await self._refused(unit, refused)
        except Exception as error:
            self._fail(unit, error)

    async def _refused(self, unit: Unit | Follower, refused: Refused) -> None:
        """Another holder wrote: what is in memory is of no use; a newer token ends the lease too."""
        self.tally.fenced += 1
        log.warning(
            "%s of %s is evaluated anew: what was stored is not ours (%s)", unit.stream, unit.model, refused.outcome
        )
        self._reset(unit)
        if refused.outcome == "fenced":
            await self.leases.give_back(self._roll.shard(unit.model))

    def _reset(self, unit: Unit | Follower) -> None:
        self._marks.clear()
        if isinstance(unit, Unit):
            self._roll.reset(unit)
        else:
            self._followers.reset(unit)

    def _fail(self, unit: Unit | Follower, error: Exception) -> None:
        self.tally.failed += 1
        self._failed[unit.model, unit.stream] = self.tally.polls + AGAIN_AFTER_POLLS
        self._say(f"{unit.stream} of model {unit.model!r} cannot be evaluated: {error!r}", error=error)

    def _is_failed(self, unit: Unit | Follower) -> bool:
        """Whether it is passed over; one whose time has come begins anew from what is stored, at the next poll."""
        again = self._failed.get((unit.model, unit.stream))
        if again is not None and again <= self.tally.polls:
            del self._failed[unit.model, unit.stream]
            self._reset(unit)
        return again is not None

    def _is_able(self, unit: Unit) -> bool:
        return (unit.model, unit.stream) not in self._failed

    def _is_time_to_retry(self) -> bool:
        return any(again <= self.tally.polls for again in self._failed.values())

    def _say(self, what: str, *, error: Exception | None = None) -> None:
        if what not in self._said:
            self._said.add(what)
            log.error("%s", what, exc_info=error if not isinstance(error, StoreError) else None)

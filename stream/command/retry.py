"""``driftline dlq retry``: events that were refused are sent again, once what refused them is corrected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from schemas.settings import load_settings
from stream.command.letters import DeadLetter, all_letters
from stream.command.options import AsJson
from stream.command.originals import Letters, Outcome
from stream.command.places import SEARCHED, Reason, place_of
from stream.command.printing import print_json, print_lines
from stream.command.resending import rehearsed, resent
from stream.command.working import building

FAILED = 1


def retry(
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC:PARTITION:OFFSET]...", help="As `dlq ls` prints them.")
    ] = None,
    *,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was refused.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent again before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send refused events again, once what refused them is corrected: a model that was not in force, a time in the future.

    The record is read where it stands in Kafka and goes to its topic and partition again, with its key; of an array or a
    columnar batch only the refused events. What was sent again once is left out from then on. The newest 20 000 dead letters
    of each partition are looked through. The exit code is 1 where one could not be sent, because retention took it or
    because it was named here and had been sent before; the others are sent.
    """
    named = [":".join(map(str, place_of(place))) for place in places or ()]
    if (bool(named), reason is not None, everything).count(True) != 1:
        raise typer.BadParameter("name records (TOPIC:PARTITION:OFFSET), or a --reason, or --all: one of the three")
    settings = load_settings()
    letters = _by_record(
        letter for letter in all_letters(settings, most=SEARCHED)
        if everything or letter.reason == reason or letter.place in named
    )  # fmt: skip
    found = [_unknown(place) for place in named if place not in letters]
    doing = rehearsed if dry_run else resent
    with building() as told:
        for outcome in doing(settings, letters, again=again):
            found.append(_named(outcome) if named else outcome)
            told("records", len(found), len(letters))
    _tell(found, as_json=as_json)


def _by_record(letters: Iterable[DeadLetter]) -> dict[str, Letters]:
    """Letters by their record, the same ones (a repeat after a crash) once."""
    found: dict[str, dict[DeadLetter, None]] = {}
    for letter in letters:
        found.setdefault(letter.place, {})[letter] = None
    return {place: list(of_record) for place, of_record in found.items()}


def _unknown(place: str) -> Outcome:
    return Outcome(place, "failed", why=f"there is no dead letter of it among the newest {SEARCHED} of each partition")


def _named(outcome: Outcome) -> Outcome:
    """Of a record that was asked for by name, nothing is passed over in silence."""
    if outcome.state != "skipped":
        return outcome
    return Outcome(outcome.record, "failed", why=f"{outcome.why}; --again sends it once more")


def _tell(found: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        print_json(summary(found))
    else:
        print_lines(lines_of(found))
    if any(outcome.state == "failed" for outcome in found):
        raise typer.Exit(FAILED)


def summary(found: Iterable[Outcome]) -> dict[str, Any]:
    """Outcomes as JSON values, with how many there are of each state."""
    records = [asdict(outcome) for outcome in found]
    states = ("sent", "would be sent", "skipped", "failed")
    counted = {state.replace(" ", "_"): sum(one["state"] == state for one in records) for state in states}
    return {**counted, "records": records}


def lines_of(found: Sequence[Outcome]) -> Iterator[str]:
    """Outcomes for people: what was passed over is only counted."""
    if not found:
        yield "no dead letters"
        return
    for outcome in found:
        if outcome.state == "failed":
            yield f"{outcome.record}: not sent: {outcome.why}"
        elif outcome.state != "skipped":
            where = f" again as {outcome.sent_to}" if outcome.sent_to else " again"
            yield f"{outcome.record}: {_events(outcome)}{outcome.state}{where}"
    counted = {name: count for name, count in summary(found).items() if name != "records" and count}
    yield ", ".join(f"{count} {_SAID[name]}" for name, count in counted.items())


_SAID = {
    "sent": "sent again", "would_be_sent": "would be sent again", "skipped": "sent again before, and left out",
    "failed": "not sent",
}  # fmt: skip


def _events(outcome: Outcome) -> str:
    if outcome.events is None:
        return ""
    count = len(outcome.events)
    return f"event {outcome.events[0]} " if count == 1 else f"{count} events "

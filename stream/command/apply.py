"""``driftline check-config`` and ``driftline apply``: a monitors file looked at, and put into force."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from confluent_kafka import KafkaException
from redis.asyncio import Redis

from schemas.config import Generation
from schemas.durations import duration_text
from schemas.monitored import Monitors
from schemas.monitors import load_monitors
from schemas.names import Names
from schemas.reference import Reference
from schemas.settings import load_settings
from stream.command.connect import ANSWER_WITHIN_S, ask_redis, command_options
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines
from stream.state.applying import apply_monitors, check_routes, load_references, warnings_of
from stream.state.config_topic import ConfigTopic, Kept, packed, spoken
from stream.state.generations import read_references

_LATER = (
    "Kafka does not have this generation yet ({}): the next worker that reaches Kafka writes it to the topic config"
)
File = Annotated[Path, typer.Argument(help="The monitors file (YAML).")]


@dataclass(frozen=True, slots=True)
class Checked:
    """A monitors file that can be put into force, and its models' references."""

    monitors: Monitors
    references: Mapping[str, Reference]


def check_config(file: File, *, as_json: AsJson = False) -> None:
    """Check a monitors file and its references; nothing is changed, and no service is needed.

    Every problem is printed as FILE:LINE: key: what is allowed, and the exit code is 2. Warnings are about what is allowed
    and probably not meant.
    """
    _tell(checked_file(file), None, as_json=as_json)


def apply(file: File, *, as_json: AsJson = False) -> None:
    """Put a monitors file into force: workers follow within a second or two, without a restart.

    A file with a problem changes nothing. A model whose bins or panes change is switched at a boundary of panes that no
    event has reached yet, so that every pane is counted in one way. Kafka's topic `config` gets it too, so that an emptied
    Redis gets it back; where Kafka does not answer, a worker sees to that later.
    """
    checked = checked_file(file)
    settings = load_settings()
    topic = ConfigTopic(command_options(settings), settings.names.topic("config"), within_s=ANSWER_WITHIN_S)
    known, unwritten = _known(topic)
    after = known.number if known is not None else 0
    generation, references = ask_redis(settings, partial(_published, checked=checked, after=after))
    if known is not None:
        unwritten = _unwritten(topic, generation, references, known=known)
    _tell(checked, generation, as_json=as_json, further=unwritten)


async def _published(
    redis: Redis, names: Names, *, checked: Checked, after: int
) -> tuple[Generation, Mapping[str, Reference]]:
    now_ms = int(time.time() * 1000)
    generation = await apply_monitors(
        redis, names, checked.monitors, references=checked.references, now_ms=now_ms, after=after
    )
    return generation, await read_references(redis, names, generation)


def _known(topic: ConfigTopic) -> tuple[Kept | None, list[str]]:
    """What the topic holds, None where there is none yet: the first worker makes it; and what a person should hear."""
    try:
        return topic.read(), []
    except KafkaException as error:
        return None, [_LATER.format(spoken(error))]


def _unwritten(
    topic: ConfigTopic, generation: Generation, references: Mapping[str, Reference], *, known: Kept
) -> list[str]:
    try:
        topic.write(generation, packed(references), known=known)
    except KafkaException as error:
        return [_LATER.format(spoken(error))]
    return []


def checked_file(file: Path) -> Checked:
    """:raises ConfigError: the file, or a reference that it names, cannot be used."""
    monitors = load_monitors(file)
    check_routes(monitors)
    return Checked(monitors, load_references(monitors))


def _tell(checked: Checked, generation: Generation | None, *, as_json: bool, further: Sequence[str] = ()) -> None:
    found = summary(checked, generation)
    found["warnings"] += further
    if as_json:
        print_json(found)
    else:
        print_lines(lines_of(found))


def summary(checked: Checked, generation: Generation | None) -> dict[str, Any]:
    """What is (or would be) in force, as JSON values; ``generation`` is null where it was only checked."""
    monitors = checked.monitors
    switches = {name: force.from_ms for name, force in generation.models.items()} if generation else {}
    models = {
        name: {
            "features": len(monitor.features),
            "pane_ms": monitor.pane_ms,
            "reference": checked.references[name].hash,
            "from_ms": switches.get(name),
        }
        for name, monitor in monitors.models.items()
    }
    return {
        "file": str(monitors.file),
        "sha256": monitors.sha256,
        "generation": generation.number if generation else None,
        "models": models,
        "warnings": warnings_of(monitors, checked.references),
        "not_in_force": monitors.not_in_force(),
    }


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    """A summary for people."""
    count = len(found["models"])
    models = f"{count} model{'' if count == 1 else 's'}"
    number = found["generation"]
    yield f"{found['file']}: {models}, no problem" if number is None else f"generation {number} is in force: {models}"
    for name, model in found["models"].items():
        yield f"  {name}: {_model(model)}"
    for warning in found["warnings"]:
        yield f"warning: {warning}"
    if found["not_in_force"]:
        yield f"not in force (accepted, and nothing acts on it yet): {', '.join(found['not_in_force'])}"


def _model(model: Mapping[str, Any]) -> str:
    said = (
        f"{model['features']} features, panes of {duration_text(model['pane_ms'])}, reference {model['reference'][:16]}"
    )
    switch = moment(model["from_ms"])
    return f"{said}, for panes from {switch} on" if switch else said

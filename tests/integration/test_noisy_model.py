"""A model over its quota goes behind another one that waits, and is counted to its last event all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.state.behind import Behind, behind_of
from tests.support.generated import Events, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, page
from tests.support.process import Process
from tests.support.worker import Deployment

QUIET_AT, NOISY_AT = 0, (1, 2, 3)
#: Of the quiet model; of the noisy one as many in each of its three partitions, a hundred times its quota.
MANY = 15_000
#: Looks often, and writes down how far each partition is read whenever something is counted.
PROGRAM = """
from stream.ingest import behind
behind.LOOK_S = 0.05
note = behind.Queue.note
def noted(self, block, tables):
    with open({file!r}, "a") as file:
        file.write(" ".join(str(tenure.tp.partition) + ":" + str(tenure.read) for tenure in block.tenures) + "\\n")
    note(self, block, tables)
behind.Queue.note = noted
from stream.command.main import main
main()
"""


def send(deployment: Deployment, events: Events, partitions: tuple[int, ...]) -> None:
    producer, topic = deployment.producer(), deployment.names.topic("predictions")
    for number, value in enumerate(events.records()):
        partition = partitions[number % len(partitions)]
        producer.produce(topic, value, partition=partition)
        deployment.sent["predictions", partition] = deployment.sent.get(("predictions", partition), 0) + 1
    assert producer.flush(30) == 0


def said(deployment: Deployment) -> list[Behind | None]:
    client = deployment.redis()
    found = [client.hget(deployment.names.offset("predictions", at), "behind") for at in range(4)]
    client.close()
    return [behind_of(one) for one in found]  # type: ignore[arg-type]


def reads(file: Path) -> Iterator[dict[int, int]]:
    """How far each partition was read, block by block."""
    reached = dict.fromkeys((QUIET_AT, *NOISY_AT), 0)
    for line in file.read_text().splitlines():
        reached |= {int(at): int(offset) for at, offset in (one.split(":") for one in line.split())}
        yield dict(reached)


def held(worker: Process) -> int:
    lines = page(worker, "metrics")[1].splitlines()
    return next(
        int(float(line.split()[1])) for line in lines if line.startswith('driftline_held_partitions{why="quota"}')
    )


def test_a_noisy_model_waits_until_the_other_is_read_and_loses_nothing(deployment: Deployment) -> None:
    quiet, noisy = generate("quiet", MANY, seed=1, features=1), generate("noisy", 3 * MANY, seed=2, features=1)
    references = {"quiet": reference_of(quiet), "noisy": reference_of(noisy)}
    file = write_monitors(deployment.folder, references)
    file.write_text(file.read_text().replace("\n  noisy:\n", "\n  noisy:\n    quota: 100\n"))
    assert "quota: 100" in file.read_text()
    apply(deployment, file)
    send(deployment, quiet, (QUIET_AT,))
    send(deployment, noisy, NOISY_AT)
    blocks = deployment.folder / "blocks.txt"
    deployment.program = ("-c", PROGRAM.format(file=str(blocks)))
    worker = deployment.start_worker(max_run_records="100")

    deployment.wait_until(lambda: any(said(deployment)))
    assert said(deployment)[QUIET_AT] is None
    deployment.wait_until_stored()
    # What is stored says nothing of the order: a second's worth of reading is stored at once.
    reached = next(block for block in reads(blocks) if block[QUIET_AT] == MANY)
    assert sum(reached[at] for at in NOISY_AT) < 2 * MANY  # without a quota, nearly all 3 * MANY
    for model, events in (("quiet", quiet), ("noisy", noisy)):
        assert_counts(counts(deployment, model), expected(events, references[model]))
    deployment.wait_until(lambda: not any(said(deployment)) and held(worker) == 0)
    assert worker.alive

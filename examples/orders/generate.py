"""Writes the example's files of rows, the same bytes at every run: `reference.csv`, `later.csv` and `events.jsonl`.

A shop predicts whether an order will be returned. The reference is 500 orders of the twenty days on which the
model was built. The events are 200 orders of two later days, in which three things are different: amounts are a
third higher, a new country appears, and the age of the account is missing more often. Three events among them
are wrong on purpose, each in another way. `later.csv` is the same 200 orders as a table.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent
SEED = 20_250_301
MODEL = "order-returns"
BUILT_ON = datetime(2025, 3, 1, tzinfo=UTC)
WATCHED = datetime(2025, 3, 24, tzinfo=UTC)

SCORE_AS_TEXT = {"model": MODEL, "id": "a", "timestamp": "2025-03-24T14:00:00Z", "prediction": {"score": "0.2"}}
SECONDS = {"model": MODEL, "id": "b", "timestamp": 1742860800, "prediction": {"score": 0.2}}
UNKNOWN_MODEL = {"model": "order-return", "id": "c", "timestamp": "2025-03-25T18:00:00Z", "prediction": {"score": 0.2}}


@dataclass(frozen=True, slots=True)
class Season:
    """How orders are in a span of days: ``missing`` is the share without an age of the account."""

    start: datetime
    days: int
    amount: float
    countries: dict[str, int]
    missing: float


BEFORE = Season(BUILT_ON, 20, amount=40.0, countries={"DE": 50, "FR": 30, "PL": 20}, missing=0.02)
AFTER = Season(WATCHED, 2, amount=53.0, countries={"DE": 45, "FR": 25, "PL": 15, "IE": 15}, missing=0.10)


def orders(season: Season, count: int, chance: random.Random) -> Iterator[dict[str, object]]:
    """``count`` orders in rising order of time, evenly spread over the season."""
    step = timedelta(days=season.days) / count
    for number in range(count):
        amount = round(season.amount * chance.lognormvariate(0.0, 0.6), 2)
        age = None if chance.random() < season.missing else chance.randrange(1, 1500)
        channel = chance.choice(("app", "web", "web"))
        yield {
            "time": season.start + step * number,
            "amount": amount,
            "items": 1 + min(chance.randrange(6), chance.randrange(6)),
            "account_days": age,
            "country": chance.choices(list(season.countries), list(season.countries.values()))[0],
            "channel": channel,
            "score": round(min(0.95, 0.05 + amount / 400 + 0.1 * (channel == "app") + 0.1 * chance.random()), 3),
        }


def write_reference(path: Path, chance: random.Random) -> None:
    """500 orders as CSV, with what became of each."""
    rows = list(orders(BEFORE, 500, chance))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, [*rows[0], "outcome"], lineterminator="\n")
        table.writeheader()
        for row in rows:
            outcome = "returned" if chance.random() < float(str(row["score"])) else "kept"
            table.writerow(row | {"time": _rfc3339(row["time"]), "outcome": outcome})


def write_later(path: Path, rows: list[dict[str, object]]) -> None:
    """Later orders as CSV: nobody knows yet what becomes of them."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(row | {"time": _rfc3339(row["time"])} for row in rows)


def write_events(path: Path, rows: list[dict[str, object]]) -> None:
    """Later orders as prediction events, one JSON object a line, and three that are wrong."""
    lines = [json.dumps(event(order, number)) for number, order in enumerate(rows)]
    for place, broken in ((180, UNKNOWN_MODEL), (120, SECONDS), (60, SCORE_AS_TEXT)):
        lines.insert(place, json.dumps(broken))
    path.write_text("".join(f"{line}\n" for line in lines))


def event(order: dict[str, object], number: int) -> dict[str, object]:
    """An order as a prediction event."""
    features = {name: order[name] for name in ("amount", "items", "account_days", "country", "channel")}
    return {
        "model": MODEL,
        "id": f"order-{number:04d}",
        "timestamp": _rfc3339(order["time"]),
        "features": features,
        "prediction": {"score": order["score"]},
    }


def _rfc3339(time: object) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def generate(folder: Path) -> None:
    """Write all files into ``folder``."""
    chance = random.Random(SEED)
    write_reference(folder / "reference.csv", chance)
    later = list(orders(AFTER, 200, chance))
    write_later(folder / "later.csv", later)
    write_events(folder / "events.jsonl", later)


if __name__ == "__main__":
    generate(FOLDER)

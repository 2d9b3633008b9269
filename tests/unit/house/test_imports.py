"""Who may import whom. Arrows go one way: stream -> alerting -> schemas, stream -> detectors -> schemas."""

from __future__ import annotations

import sys

import pytest

from tests.support.source import PACKAGES, Source, parse, sources

#: What a package may import beside the standard library and itself. ``stream`` is where everything meets.
ALLOWED = {
    "schemas": {"pydantic", "pydantic_core", "pydantic_settings", "msgspec", "yaml"},
    "detectors": {"schemas", "numpy", "scipy", "river"},
}
FORBIDDEN = {
    "alerting": {"detectors", "stream", "faust", "mode", "aiokafka", "confluent_kafka", "redis"},
    "stream": {"tests"},
}
#: The rooms of ``stream``, in the data's order: each knows only itself and those before it.
ROOMS = (
    "transport",
    "asking",
    "state",
    "ingest",
    "evaluate",
    "incidents",
    "expose",
    "scraping",
    "gpu",
    "webhook",
    "evaluation_apart",
    "evaluator_child",
    "parts",
    "app",
    "local",
    "command",
)
#: The rooms of ``stream/evaluate``, likewise; what stands beside them (the evaluator, its service) knows them all.
EVALUATE = (
    "panes",
    "storing",
    "columns",
    "verdicts",
    "causes",
    "calibration",
    "charts",
    "quality",
    "judging",
    "closing",
    "skew",
    "releases",
    "gpus",
)
#: Where Faust and aiokafka keep what they do not promise.
PRIVATE = ("faust.transport", "aiokafka.consumer", "aiokafka.coordinator", "aiokafka.client")
TRANSPORT = ("stream/transport.py", "stream/fetching.py", "stream/assigning.py", "stream/unpacking.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    assert [line for source in sources(package) for line in strangers(source)] == []


def test_a_room_of_stream_imports_only_rooms_before_it() -> None:
    assert [line for source in sources("stream") for line in backward(source)] == []


def test_only_the_transport_knows_what_faust_keeps_private() -> None:
    assert [line for source in sources(*PACKAGES) for line in privates(source)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("schemas/a.py", "import numpy"),
        ("detectors/a.py", "from stream.state import layout"),
        ("detectors/a.py", "def f():\n    import redis"),
        ("alerting/a.py", "import detectors.psi"),
        ("alerting/a.py", "from redis.asyncio import Redis"),
    ],
)
def test_a_stranger_is_seen(path: str, text: str) -> None:
    assert len(strangers(parse(path, text=text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("stream/state/a.py", "from stream.ingest.decode import decode"),
        ("stream/state/a.py", "from ..ingest import decode"),
        ("stream/state/a.py", "from stream import app"),
        ("stream/expose/a.py", "import stream.app"),
        ("stream/local/a.py", "from stream.command import main"),
    ],
)
def test_an_arrow_that_goes_back_is_seen(path: str, text: str) -> None:
    assert len(backward(parse(path, text=text))) == 1


def test_every_room_of_evaluate_has_its_place_and_none_is_empty() -> None:
    inside = [source.path.split("/") for source in sources("stream/evaluate")]
    assert {path[2] for path in inside if len(path) > 3} == set(EVALUATE)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("stream/evaluate/columns/a.py", "from stream.evaluate.closing.walk import Walk"),
        ("stream/evaluate/charts/a.py", "from stream.evaluate import quality"),
        ("stream/evaluate/skew/a.py", "from stream.evaluate.evaluator import Evaluator"),
    ],
)
def test_an_arrow_that_goes_back_between_the_rooms_of_evaluate_is_seen(path: str, text: str) -> None:
    assert len(backward(parse(path, text=text))) == 1


@pytest.mark.parametrize("text", ["from faust.transport.drivers import aiokafka", "import aiokafka.client"])
def test_a_private_name_is_seen_elsewhere_and_allowed_in_the_transport(text: str) -> None:
    assert len(privates(parse("stream/app.py", text=text))) == 1
    assert [privates(parse(path, text=text)) for path in TRANSPORT] == [[]] * len(TRANSPORT)


def strangers(source: Source) -> list[str]:
    """The imports of a file that its package may not have, as ``file:line: name``."""
    package = source.path.split("/")[0]
    return [_line(source, line, name) for line, name in source.imports() if not _may(package, _top(name))]


def backward(source: Source) -> list[str]:
    """The imports of a room that comes later in the data's order."""
    return [
        _line(source, line, name)
        for line, name in source.imports()
        if name.startswith("stream.") and _later(name, source.module)
    ]


def privates(source: Source) -> list[str]:
    """The imports of what Faust and aiokafka keep private, anywhere but in the transport."""
    if source.path in TRANSPORT:
        return []
    return [_line(source, line, name) for line, name in source.imports() if f"{name}.".startswith(_dotted(PRIVATE))]


def _may(package: str, imported: str) -> bool:
    if imported == package or imported in sys.stdlib_module_names:
        return True
    if package in ALLOWED:
        return imported in ALLOWED[package]
    return imported not in FORBIDDEN[package]


def _later(imported: str, module: str) -> bool:
    inside = all(name.startswith("stream.evaluate.") for name in (imported, module))
    return _inner(imported) > _inner(module) if inside else _place(imported) > _place(module)


def _place(module: str) -> int:
    room = module.split(".")[1] if "." in module else ""
    return ROOMS.index(room) if room in ROOMS else -1


def _inner(module: str) -> int:
    """Which room of evaluation; behind all of them what stands beside them."""
    room = module.split(".")[2]
    return EVALUATE.index(room) if room in EVALUATE else len(EVALUATE)


def _top(name: str) -> str:
    return name.split(".")[0]


def _dotted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in names)


def _line(source: Source, line: int, name: str) -> str:
    return f"{source.path}:{line}: {name}"

"""Targets files: what they say, and each mistake with its line, its key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.targets import Target, load_targets

ONE = "targets:\n  - {url: http://127.0.0.1:8000/metrics, kind: vllm"


def loaded(folder: Path, text: str) -> tuple[Target, ...]:
    (folder / "t.yaml").write_text(text)
    return load_targets(folder / "t.yaml")


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return [line.removeprefix(f"{folder}/t.yaml:") for line in str(caught.value).splitlines()]


def test_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    [found] = loaded(tmp_path, ONE + "}\n")

    assert (found.name, found.every_ms, found.timeout_ms) == ("http://127.0.0.1:8000/metrics", 15_000, 5_000)
    assert (found.models, found.model, found.version, found.bearer_token) == (None, None, None, None)
    assert found.names.serving is not None
    assert found.names.serving.latency is not None
    assert found.names.serving.latency.names == ["vllm:e2e_request_latency_seconds", "vllm_e2e_request_latency_seconds"]


def test_a_timeout_is_never_longer_than_the_interval(tmp_path: Path) -> None:
    assert loaded(tmp_path, ONE + ", every: 2s}\n")[0].timeout_ms == 2_000
    assert refused(tmp_path, ONE + ", every: 2s, timeout: 3s}\n") == ["2: targets.0.timeout: must be at most `every`"]


def test_a_built_in_map_is_changed_in_what_the_file_names(tmp_path: Path) -> None:
    maps = (
        "maps:\n  vllm: {serving: {latency: {names: [vllm:new_latency_seconds, vllm:e2e_request_latency_seconds]}}}\n"
    )
    serving = loaded(tmp_path, ONE + "}\n" + maps)[0].names.serving

    assert serving is not None
    assert serving.latency is not None
    assert serving.latency.names[0] == "vllm:new_latency_seconds"
    assert serving.requests is not None
    assert serving.requests.names == ["vllm:request_success", "vllm_request_success"]


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    text = (
        "targets: [{url: https://a/metrics, kind: custom, map: ours, model: m}]\n"
        "maps: {ours: {serving: {requests: {names: [app_requests]}, latency: {names: [app_ms], times: 0.001}}}}\n"
    )
    [found] = loaded(tmp_path, text)
    assert found.names.serving is not None
    assert [signal.times for signal in found.names.signals()] == [1.0, 0.001]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: []\n", ["1: targets: must have at least 1 items, not a list of 0"]),
        (ONE + ", evry: 15s}\n", ["2: targets.0.evry: is not a key here; did you mean 'every'? Allowed: url, kind, name, "
         "every, timeout, models, model, version, map, bearer_token"]),
        (ONE + ", every: 500ms}\n", ["2: targets.0.every: must be at least 1s, not '500ms'"]),
        (ONE + ", bearer_token: hunter2}\n", ["2: targets.0.bearer_token: must be {file: PATH} or {env: VARIABLE}"]),
        (ONE + ", map: x}\n", ["2: targets.0.kind: custom needs `map`, the name of one under maps, and nothing else takes it"]),
        (ONE + ", model: a, models: {b: c}}\n", ["2: targets.0.model: says that there is one model, and models name several: "
         "leave out one of them"]),
        (ONE + "}\n  - {url: http://127.0.0.1:8000/metrics, kind: triton}\n",
         ["3: targets.1: is called like targets.0: give one of them another `name`"]),
        (ONE + "}\n  - {url: http://127.0.0.1:8000/metrics, kind: vllm, name: b}\n",
         ["3: targets.1.url: is read by targets.0 already: its requests would count twice"]),
        ("targets: [{url: http://a/m, kind: custom, map: ourz}]\nmaps: {ours: {serving: {requests: {names: [a]}}}}\n",
         ["1: targets.0.map: 'ourz' is not under maps; did you mean 'ours'? There: ours"]),
        (ONE + "}\nmaps: {ours: {}}\n", ["3: maps.ours: names neither serving nor gpus"]),
        (ONE + "}\nmaps: {ours: {serving: {latency: {names: [a]}}}}\n",
         ["3: maps.ours.serving: must name one of requests and successes"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, said: list[str], tmp_path: Path) -> None:
    assert refused(tmp_path, text) == said


@pytest.mark.parametrize(
    "url", ["ftp://a/m", "a:8000", "http://", "http://u:hunter2@a/m", "http://a/m#x", "http://a /m", "http://a:99999/m"]
)
def test_an_address_that_is_none_is_refused_and_not_quoted(url: str, tmp_path: Path) -> None:
    [line] = refused(tmp_path, f'targets: [{{url: "{url}", kind: vllm}}]\n')
    assert line.startswith("1: targets.0.url: must ")
    assert "hunter2" not in line

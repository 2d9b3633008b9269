"""The published JSON Schemas are the contracts', and the examples of the pages are events, and messages of ours."""

import re
from pathlib import Path

import msgspec
import pytest

from schemas import actions, findings, incidents, releases, reports
from schemas.errors import REASONS
from schemas.events import Rejected, parse_record
from schemas.export import FOLDER, documents, main, text_of
from schemas.names import Stream

PAGE = (FOLDER.parent / "events.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.DOTALL)
PAGES = "".join((FOLDER.parent / page).read_text(encoding="utf-8") for page in ("reports.md", "releases.md"))
WRITTEN = re.findall(r"```json (\w+)\n(.*?)```", PAGES, re.DOTALL)
STRICT = {
    "report": reports.Report,
    "finding": findings.Message,
    "incident": incidents.IncidentView,
    "silence": incidents.SilenceView,
    "action": actions.Action,
    "decision": releases.Decision,
}


def test_the_published_schemas_are_current() -> None:
    published = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert published == {name: text_of(document) for name, document in documents().items()}, (
        "run `python -m schemas.export`"
    )


def test_every_event_has_a_schema_and_a_columnar_one() -> None:
    events = {
        f"{name}{form}.json" for name in ("prediction", "label", "feature", "serving") for form in ("", ".columnar")
    }
    written = {f"{name}.json" for name in ("report", "finding", "incident", "silence", "action", "decision")}
    assert set(documents()) == events | {"control.json"} | written
    assert documents()["prediction.json"]["required"] == ["model", "timestamp"]
    assert documents()["feature.json"]["required"] == ["feature", "source", "timestamp", "values"]


def test_a_number_may_be_a_packed_column_and_a_name_may_not() -> None:
    batch = documents()["label.columnar.json"]["properties"]
    assert len(batch["score"]["anyOf"]) == 3
    assert batch["score"]["anyOf"][2]["required"] == ["f64"]
    assert len(batch["model"]["anyOf"]) == 2


def test_they_are_written_where_told(tmp_path: Path) -> None:
    main(tmp_path / "schemas")
    assert len(list((tmp_path / "schemas").glob("*.json"))) == 15


@pytest.mark.parametrize(("stream", "text"), EXAMPLES)
def test_every_example_of_the_page_is_read(stream: Stream, text: str) -> None:
    found = parse_record(stream, text.encode())
    assert found
    assert not any(isinstance(item, Rejected) for item in found)
    assert not any(getattr(item, "unknown_keys", None) for item in found)


def test_the_page_explains_every_reason() -> None:
    assert len(EXAMPLES) == 9
    assert [reason for reason in REASONS if f"| `{reason}` |" not in PAGE] == []


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_every_example_of_what_is_written_is_such_a_message(kind: str, text: str) -> None:
    message = msgspec.json.decode(text, type=STRICT[kind])

    # Nothing in the example that the message has not: written again it is the same.
    assert msgspec.json.decode(msgspec.json.encode(message)) == msgspec.json.decode(text)


def test_there_is_an_example_of_each() -> None:
    assert {kind for kind, _ in WRITTEN} == set(STRICT)

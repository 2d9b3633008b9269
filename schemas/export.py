"""JSON Schema of every event and of what driftline writes, for any language; ``python -m schemas.export`` writes the files.

They come from the contracts themselves (:mod:`schemas.wire`, and the modules of what is written), and a test compares the
files with them, so what is published is what is judged.  Two things JSON Schema cannot say are in the text: that columns are of one
length, and that NaN and Infinity are read although JSON has no such words.
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from schemas import actions, findings, incidents, releases, reports
from schemas.columnar import NESTED
from schemas.wire import ControlRecord, FeatureEvent, LabelEvent, PredictionEvent, ServingEvent, Wire

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_EVENTS: dict[str, type[Wire]] = {
    "prediction": PredictionEvent,
    "label": LabelEvent,
    "feature": FeatureEvent,
    "serving": ServingEvent,
}

#: What driftline writes: a message of each topic, and what Redis holds of a silence.
_WRITTEN: dict[str, Any] = {
    "report": reports.Report,
    "finding": findings.Message,
    "incident": incidents.IncidentView,
    "silence": incidents.SilenceView,
    "action": actions.Action,
    "decision": releases.Decision,
}

_PACKED = {
    "description": "a numeric column: base64 of little-endian 64-bit floats",
    "type": "object",
    "properties": {"f64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["f64"],
    "additionalProperties": False,
}

_VALUES = {"description": "per row a value, or an array of them", "type": "array"}


def documents() -> dict[str, dict[str, Any]]:
    """File name -> schema: each event, its columnar batch, the control record, and each thing that driftline writes."""
    events = {name: _schema(event) for name, event in _EVENTS.items()}
    batches = {f"{name}.columnar": columnar(schema) for name, schema in events.items()}
    written = {name: _written(message) for name, message in _WRITTEN.items()}
    found = events | batches | {"control": _schema(ControlRecord)} | written
    return {f"{name}.json": schema for name, schema in found.items()}


def text_of(document: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def columnar(event: dict[str, Any]) -> dict[str, Any]:
    """The schema of an event's columnar batch: the same names, each an array, a packed column or a scalar."""
    batch = deepcopy(event)
    batch["title"] += "Columns"
    batch["description"] = f"Many events in columns of one length. {event['description']}"
    properties = batch["properties"]
    for name in properties:
        properties[name] = _members(properties[name]) if name in NESTED else _column(properties[name])
    properties["timestamp"] = {"anyOf": properties["timestamp"]["anyOf"][1:]}
    if "values" in properties:
        properties["values"] = {"anyOf": [_VALUES, _PACKED]}
    for definition in batch.get("$defs", {}).values():
        definition["properties"] = {name: _column(each) for name, each in definition["properties"].items()}
    return batch


def _schema(event: type[Wire]) -> dict[str, Any]:
    document = event.model_json_schema()
    parts = [document, *document.get("$defs", {}).values()]
    for part in parts:
        part["properties"] = {name: _bare(each) for name, each in part["properties"].items()}
    return {"$schema": DIALECT, **document}


def _written(message: Any) -> dict[str, Any]:
    """The schema of a message of ours; readers must take fields that it does not name, because later releases add some."""
    document = msgspec.json.schema(message)
    for part in document["$defs"].values():
        part["description"] = cleandoc(part["description"])
    return {"$schema": DIALECT, **document}


def _bare(field: dict[str, Any]) -> dict[str, Any]:
    """A field without what pydantic adds and no producer needs: its name again, a default of null."""
    return {key: value for key, value in field.items() if key not in ("title", "default")}


def _column(scalar: dict[str, Any]) -> dict[str, Any]:
    options = [scalar, {"type": "array", "items": scalar}]
    return {"anyOf": [*options, _PACKED] if _may_be_number(scalar) else options}


def _may_be_number(scalar: dict[str, Any]) -> bool:
    return not scalar or '"number"' in json.dumps(scalar)


def _members(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping of names, each of which is a column; a reference to a definition stays as it is."""
    options = [
        option | {"additionalProperties": _column(_values(option))} if option.get("type") == "object" else option
        for option in mapping["anyOf"]
    ]
    return mapping | {"anyOf": options}


def _values(mapping: dict[str, Any]) -> dict[str, Any]:
    """The schema of a mapping's values; ``true``, anything, becomes the empty schema that says the same."""
    values = mapping["additionalProperties"]
    return {} if values is True else values


def main(folder: Path = FOLDER) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (folder / name).write_text(text_of(document), encoding="utf-8")
    sys.stdout.write(f"{len(documents())} schemas in {folder}\n")


if __name__ == "__main__":
    main()

"""Writes the dashboards' files: ``python -m deploy.grafana.boards.write`` (``make dashboards``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.boards.board import PANE
from deploy.grafana.boards.fleet import fleet
from deploy.grafana.boards.gpu import gpu
from deploy.grafana.boards.model import model
from deploy.grafana.boards.service import service

FOLDER = Path(__file__).parents[1] / "dashboards"


def written() -> Mapping[str, str]:
    """By file, what is in it."""
    made = {"fleet": fleet(), "model": model(), "gpu": gpu(), "service": service()}
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {f"{name}.json": encoder.encode(_numbered(board)) + "\n" for name, board in made.items()}


def _numbered(board: Builder[Dashboard]) -> Dashboard:
    """The dashboard with a number for each panel: the builders give every row 0 and the others none.

    Where panes are a variable, no step of a panel is shorter than one.
    """
    built = board.build()
    variables = (built.templating.list_val or []) if built.templating else []
    by_pane = any(variable.name == PANE for variable in variables)
    for number, panel in enumerate(built.panels or [], 1):
        panel.id_val = number
        if by_pane and isinstance(panel, Panel):
            panel.interval = f"${PANE}"
    return built


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in written().items():
        (FOLDER / name).write_text(text)

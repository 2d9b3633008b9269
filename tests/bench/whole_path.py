"""The worker, as ``driftline worker`` runs it."""

from __future__ import annotations

from schemas.settings import load_settings
from stream.app import run

if __name__ == "__main__":
    raise SystemExit(run(load_settings()))

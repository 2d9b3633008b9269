"""Where messages come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What messages say of where they come from: the environment, and the console's address for links (empty: no links)."""

    environment: str = ""
    console_url: str = ""

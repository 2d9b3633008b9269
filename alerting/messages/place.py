"""Where messages come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What messages say of where they come from: the environment, and for links the console's address and where runbooks lie.

    Empty: no links.  Runbooks may be a path in the repository; then it is said and not linked.
    """

    environment: str = ""
    console_url: str = ""
    runbook_url: str = ""

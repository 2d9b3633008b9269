"""Secrets of receivers: read where they are at each use, so that a rotated one is followed, and never shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError, Problem
from schemas.monitored import SecretPlace

_ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")
_TOKEN = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is, and the key of the file that says so; the secret itself is not kept here."""

    place: SecretPlace
    key: str
    file: str = "the monitors file"

    def read(self) -> str:
        """The secret, without the white space around it.

        :raises ConfigError: there is none; says where it was looked for and what to do.
        """
        found = self._from_file(self.place.file) if self.place.file else self._from_environment(self.place.env or "")
        return found.strip() or self._missing("is empty")

    def _from_file(self, file: str) -> str:
        try:
            return Path(file).read_text(encoding="utf-8")
        except FileNotFoundError:
            return self._missing("does not exist")
        except (OSError, ValueError) as error:
            return self._missing(f"cannot be read ({type(error).__name__})")

    def _from_environment(self, variable: str) -> str:
        found = os.environ.get(variable)
        return self._missing("is not set") if found is None else found

    def _missing(self, trouble: str) -> str:
        file, variable = self.place.file, self.place.env
        place, way = (
            (f"the file {file}", "write the secret into it") if file else (f"the variable {variable}", "set it")
        )
        raise ConfigError([problem(self.key, f"{place} {trouble}: {way}, or name another place in {self.file}")])


def routing_key(secret: Secret) -> str:
    """A PagerDuty integration key.

    :raises ConfigError: there is none, or it cannot be one.
    """
    found = secret.read()
    if not _ROUTING_KEY.fullmatch(found):
        kind = "letters and digits" if len(found) == 32 else "characters"
        said = f"must be 32 {kind} (an Events API v2 integration key); what is there has {len(found)} characters"
        raise ConfigError([problem(secret.key, said)])
    return found


def bot_token(secret: Secret) -> str:
    """A Slack bot's token.

    :raises ConfigError: there is none, or it cannot be one.
    """
    found = secret.read()
    if not _TOKEN.fullmatch(found):
        raise ConfigError([problem(secret.key, "must be a bot's token in one line, without blanks: xoxb-…")])
    return found


def problem(key: str, message: str) -> Problem:
    """Something to correct in the receivers of the configuration in force."""
    return Problem("configuration", 0, key, message)

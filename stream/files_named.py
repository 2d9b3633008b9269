"""Files that settings name: a password, certificates.  One that cannot be read is said by its setting, and never what is in it."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import ConfigError, Problem
from schemas.settings import PREFIX, Settings


def password_of(settings: Settings, service: str) -> str:
    """The password from the file that ``kafka_password_file`` or ``redis_password_file`` names; empty where none is named.

    :raises ConfigError: the file cannot be read, or is empty.
    """
    name = f"{service}_password_file"
    path = getattr(settings, name)
    if not path:
        return ""
    try:
        password = Path(path).read_text().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(name, path, error) from None
    if not password:
        raise _problem(name, f"is {path!r}, and that file is empty")
    return password


def certificates_of(settings: Settings, service: str) -> dict[str, str]:
    """The files of certificates that are named, by ``ca``, ``cert`` and ``key``.

    :raises ConfigError: one cannot be read.
    """
    named = {part: getattr(settings, f"{service}_{part}") for part in ("ca", "cert", "key")}
    for part, path in named.items():
        try:
            if path:
                Path(path).open("rb").close()
        except OSError as error:
            raise _unreadable(f"{service}_{part}", path, error) from None
    return {part: path for part, path in named.items() if path}


def _unreadable(name: str, path: str, error: OSError | UnicodeDecodeError) -> ConfigError:
    said = error.strerror if isinstance(error, OSError) else "no text"
    return _problem(name, f"is {path!r}, which cannot be read: {said}")


def _problem(name: str, said: str) -> ConfigError:
    return ConfigError([Problem("environment", 0, PREFIX + name.upper(), said)])

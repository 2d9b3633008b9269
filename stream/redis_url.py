"""Redis' address as it may be used: checked before any library reads it, because libraries quote what they cannot read.

A password with ``/``, ``?`` or ``#`` that is not percent-encoded ends the host too early: what follows is taken for a port,
and the library's error shows it.  Here nothing of the address is shown.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from schemas.errors import ConfigError, Problem

_SAID = (
    "is no address of a Redis: write redis://[[user]:password@]host[:port][/number] or "
    "redis+cluster://[[user]:password@]host[:port],host[:port], "
    "and / ? # @ : [ ] in a password as %2F %3F %23 %40 %3A %5B %5D"
)


def checked(url: str) -> str:
    """The address, if it can be read in one way only.

    :raises ConfigError: it cannot; shows nothing of it.

    >>> checked("redis://:pass%2Fword@cache:6379/0")
    'redis://:pass%2Fword@cache:6379/0'
    """
    if not _is_plain(url):
        raise unusable()
    return url


def is_cluster(url: str) -> bool:
    """Whether it is the address of a cluster's nodes.

    :raises ConfigError: it is, and cannot be read in one way only; shows nothing of it.

    >>> is_cluster("redis+cluster://a:7000,b:7000"), is_cluster("redis://a:7000")
    (True, False)
    """
    scheme, _, rest = url.partition("://")
    if not scheme.endswith("+cluster"):
        return False
    who, _, nodes = rest.rpartition("@")
    for node in nodes.removesuffix("/").split(","):
        checked(f"redis://{who}@{node}")
        if urlsplit(f"//{node}").path or "?" in node or not node:
            raise unusable()
    return True


def unusable() -> ConfigError:
    """To be raised ``from None`` where a library cannot use the address either."""
    return ConfigError([Problem("environment", 0, "DRIFTLINE_REDIS", _SAID)])


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    return "@" not in parts.path + parts.query + parts.fragment

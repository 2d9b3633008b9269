"""Where the vendors are, and which of it may be reached: a replay reaches the loopback interface and nothing else."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from alerting.policy import Clock
from alerting.receivers.secrets import problem
from schemas.errors import ConfigError

_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The vendors' addresses, and for links the console's and where runbooks lie.  They come from settings, never from events."""

    pagerduty_url: str = "https://events.pagerduty.com"
    slack_url: str = "https://slack.com/api/"
    console_url: str = ""
    runbook_url: str = ""


def plain(url: str, *, clock: Clock, setting: str) -> str:
    """The endpoint, if it may be used where nothing secret goes there.

    :raises ConfigError: it is no plain URL, or real in a replay.
    """
    host = _host(url)
    if host is None:
        raise ConfigError(
            [problem(setting, f"{url!r} is no plain http:// or https:// URL: write scheme://host[:port]")]
        )
    if not is_loopback(url) and clock == "event":
        said = (
            f"a replay never reaches a real receiver, and {host} is not on the loopback interface: use a recording one"
        )
        raise ConfigError([problem(setting, said)])
    return url


def checked(url: str, *, clock: Clock, setting: str) -> str:
    """The endpoint, if it may be used.

    :raises ConfigError: it is no plain URL, not encrypted though it leaves the machine, or real in a replay.
    """
    host = _host(plain(url, clock=clock, setting=setting))
    if not is_loopback(url) and not url.startswith("https://"):
        raise ConfigError(
            [problem(setting, f"{host} must be reached by https://: only the loopback needs no encryption")]
        )
    return url


def is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine: 127.0.0.0/8, ``::1`` or ``localhost``, spelled plainly.

    >>> [is_loopback(f"http://{host}/") for host in ("127.0.0.9:80", "[::1]:80", "localhost", "127.0.0.1.example.org")]
    [True, True, True, False]
    """
    host = _host(url)
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str | None:
    """None where two programs could read two hosts out of one URL."""
    if any(sign.isspace() or not sign.isprintable() or sign in "\\@" for sign in url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return None
    return parts.hostname if parts.scheme in _SCHEMES else None

"""Addresses: what the register remembers of a receiver.  A name in the monitors file is only a label for one."""

from __future__ import annotations

import hashlib


def fingerprint(secret: str) -> str:
    """Tells secrets apart and gives none away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def pagerduty_address(routing_key: str) -> str:
    """An integration key's address: it tells keys apart and gives none away.

    >>> pagerduty_address("0123456789abcdef0123456789abcdef")
    'pagerduty:3eb1bd439947'
    """
    return f"pagerduty:{fingerprint(routing_key)}"


def alertmanager_address(url: str) -> str:
    """An Alertmanager's address, as the monitors file names it.

    >>> alertmanager_address("http://127.0.0.1:9093/am/")
    'alertmanager:127.0.0.1:9093/am'
    """
    return f"alertmanager:{url.partition('://')[2].rstrip('/')}"


def slack_address(channel: str) -> str:
    """A channel's address, as the monitors file names it.

    >>> slack_address("#ml-p0")
    'slack:#ml-p0'
    """
    return f"slack:{channel}"

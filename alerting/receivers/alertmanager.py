"""An Alertmanager by its API v2: an incident is an alert that is posted again and again while it is open, one try each.

Alertmanager keeps alerts in memory and takes for over what has reached its end.  So the end lies a day ahead, and the register
posts what is open every few minutes: after a restart it is there again.  The labels that were posted are remembered as the thread:
once they change, the alert with the old ones is ended in the same request.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from alerting.deliveries import Call, Message, Receipt, ReceiverKind
from alerting.messages import alertmanager as messages
from alerting.messages.alertmanager import SEVERITY, Labels
from alerting.messages.place import Place
from alerting.policy import Clock
from alerting.receivers.address import alertmanager_address, fingerprint
from alerting.receivers.answers import quoted, refused, retry, wait_s
from alerting.receivers.endpoints import checked, is_loopback, plain
from alerting.receivers.receiver import TIMEOUT_S
from alerting.receivers.secrets import Secret, bot_token
from schemas.errors import ConfigError
from schemas.findings import SEVERITIES

log = logging.getLogger(__name__)

PATH = "/api/v2/alerts"
BAD_ALERT = 400
AGAIN_S = 30.0
_READ = 2000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *_: Any) -> None:
        """None is followed."""


class Alertmanager:
    """One Alertmanager; build it with :func:`alerting.receivers.build.build`."""

    kind: ReceiverKind = "alertmanager"

    def __init__(
        self,
        url: str,
        secret: Secret | None,
        *,
        key: str,
        place: Place,
        clock: Clock,
        now: Callable[[], float] = time.time,
    ) -> None:
        """:raises ConfigError: it may not be reached, or there is no token where one is named."""
        check = plain if secret is None else checked
        self._url, self._secret, self._place, self._now = check(url, clock=clock, setting=key), secret, place, now
        self.address = alertmanager_address(url)
        self.fingerprint = fingerprint(f"{url} {self._token()}")
        # No proxy between us and an Alertmanager on this machine.
        handlers = [_NoRedirect(), *([urllib.request.ProxyHandler({})] if is_loopback(url) else [])]
        self._opener = urllib.request.build_opener(*handlers)

    def __repr__(self) -> str:
        return f"Alertmanager({self.address})"

    def deliver(self, call: Call, message: Message) -> Receipt:
        """Post what is true now; never raises."""
        token = ""
        try:
            token = self._token()
            if call.kind == "digest":
                return Receipt("ok")  # what is over already is no alert
            labels = messages.labels(call, message, place=self._place)
            self._post(list(self._alerts(call, message, labels)), token)
            return Receipt("ok", thread=None if call.kind == "close" else json.dumps(labels))
        except ConfigError as error:
            return retry(str(error))
        except urllib.error.HTTPError as answer:
            said = quoted(answer.read(_READ).decode(errors="replace"), secret=token or "\0")
            after_s = wait_s(dict(answer.headers), default_s=AGAIN_S)
            return refused(answer.code, said, vendor="Alertmanager", after_s=after_s, final=answer.code == BAD_ALERT)
        except OSError as error:
            return retry(f"Alertmanager did not answer ({type(error).__name__})")
        except Exception as error:
            log.error("an alert could not be sent: %s", type(error).__name__)
            return retry(f"the alert could not be sent ({type(error).__name__})")

    def _alerts(self, call: Call, message: Message, labels: Labels) -> Iterator[dict[str, Any]]:
        now_ms = int(self._now() * 1000)
        before = _posted(call)
        if call.kind == "close":
            yield messages.resolved(before or labels, message, place=self._place, now_ms=now_ms)
            return
        yield messages.firing(labels, message, place=self._place, now_ms=now_ms)
        others = [before] if before else [*_other_severities(labels)] if call.doubt else []
        for other in others:
            if other != labels:
                yield messages.resolved(other, message, place=self._place, now_ms=now_ms)

    def _post(self, alerts: list[dict[str, Any]], token: str) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "driftline"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            self._url.rstrip("/") + PATH, data=json.dumps(alerts).encode(), headers=headers, method="POST"
        )
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(_READ)

    def _token(self) -> str:
        return "" if self._secret is None else bot_token(self._secret)


def _posted(call: Call) -> Labels | None:
    """The labels that were posted last; None where that is not known."""
    try:
        return msgspec.json.decode(call.thread or "", type=Labels)
    except msgspec.DecodeError:
        return None


def _other_severities(labels: Labels) -> Iterator[Labels]:
    """The labels that an opening of which nothing is known may have had."""
    for severity in SEVERITIES:
        yield labels | {"severity": SEVERITY[severity], "driftline_severity": severity}

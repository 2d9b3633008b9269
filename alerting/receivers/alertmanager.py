"""An Alertmanager by its API v2: an incident is an alert that is posted again and again while it is open, one try each.

Alertmanager keeps alerts in memory and takes for over what has reached its end.  So the end lies a day ahead, and the register
posts what is open every few minutes: after a restart it is there again.  The labels that were posted are remembered as the thread:
once they change, the alert with the old ones is ended in the same request.  What is about to be posted is remembered beside them
before it is (``registered``), for a request of which no answer came may have arrived, and nobody would end that alert otherwise.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
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
#: Labels of one alert that are remembered: those that may have been posted since an answer came last.
MOST_POSTED = 20
_THREAD: msgspec.json.Decoder[Labels | list[Labels]] = msgspec.json.Decoder(Labels | list[Labels])


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

    def registered(self, call: Call, message: Message) -> str | None:
        """The labels that were posted or may have been, and those that this call posts; None where it posts none."""
        if call.kind in ("close", "digest"):
            return None
        try:
            before, labels = _posted(call), messages.labels(call, message, place=self._place)
        except Exception as error:
            _bug(error)  # and it is not posted either
            return None
        return call.thread if labels in before else json.dumps([*before, labels][-MOST_POSTED:])

    def deliver(self, call: Call, message: Message) -> Receipt:
        """Post what is true now; never raises."""
        if call.kind == "digest":
            return Receipt("ok")  # what is over already is no alert
        try:
            token = self._token()
            labels = messages.labels(call, message, place=self._place)
            alerts = list(self._alerts(call, message, labels))
        except ConfigError as error:
            return retry(str(error))
        except Exception as error:
            return _bug(error)
        receipt = self._delivered(alerts, token)
        if receipt.outcome == "ok":
            return replace(receipt, thread=None if call.kind == "close" else json.dumps(labels))
        return receipt

    def _delivered(self, alerts: list[dict[str, Any]], token: str) -> Receipt:
        try:
            self._post(alerts, token)
            return Receipt("ok")
        except urllib.error.HTTPError as answer:
            said = quoted(answer.read(_READ).decode(errors="replace"), secret=token or "\0")
            after_s = wait_s(dict(answer.headers), default_s=AGAIN_S)
            return refused(answer.code, said, vendor="Alertmanager", after_s=after_s, final=answer.code == BAD_ALERT)
        except OSError as error:
            return retry(f"Alertmanager did not answer ({type(error).__name__})")
        except Exception as error:
            return _bug(error)

    def _alerts(self, call: Call, message: Message, labels: Labels) -> Iterator[dict[str, Any]]:
        now_ms = int(self._now() * 1000)
        before = _posted(call)
        if call.kind == "close":
            over = before or [labels]
        else:
            yield messages.firing(labels, message, place=self._place, now_ms=now_ms)
            others = [other for other in _other_severities(labels) if call.doubt and other not in before]
            over = [other for other in (*before, *others) if other != labels]
        for other in over:
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


def _bug(error: Exception) -> Receipt:
    log.error("an alert could not be sent: %s", type(error).__name__)
    return retry(f"the alert could not be sent ({type(error).__name__})")


def _posted(call: Call) -> list[Labels]:
    """The labels that were posted, and those that may have been since; none where that is not known."""
    try:
        found = _THREAD.decode(call.thread or "")
    except msgspec.DecodeError:
        return []
    return found if isinstance(found, list) else [found]


def _other_severities(labels: Labels) -> Iterator[Labels]:
    """The labels that an opening of which nothing is known may have had."""
    for severity in SEVERITIES:
        yield labels | {"severity": SEVERITY[severity], "driftline_severity": severity}

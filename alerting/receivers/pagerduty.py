"""PagerDuty by pdpyras: trigger and resolve on the call's own key, one try each.

A trigger on a key that is open rings nobody and shows the newest state, so an update and a doubtful opening are the same
request.  A resolve by another integration key than the trigger's is dropped by PagerDuty without a word; hence a receiver
is bound to the key that it was built with: a rotated one is another address, with a receiver of its own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from alerting.deliveries import Call, Message, Receipt, ReceiverKind
from alerting.messages.pagerduty import dedup_key, event
from alerting.messages.place import Place
from alerting.receivers.address import fingerprint, pagerduty_address
from alerting.receivers.answers import quoted, refused, retry, wait_s
from alerting.receivers.endpoints import is_loopback
from alerting.receivers.receiver import TIMEOUT_S
from alerting.receivers.secrets import Secret, routing_key

with warnings.catch_warnings():
    # pdpyras says on import that it gets no updates any more; it is behind this one file.
    warnings.filterwarnings("ignore", message=r'The package "pdpyras" is deprecated', category=UserWarning)
    import pdpyras  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

ACCEPTED = 202
#: With PagerDuty's own words: the event, or its key, will never be taken.  A proxy's refusal is none of that.
BAD_EVENT = 400
#: PagerDuty names no time with its limit; it advises half a minute.
LIMITED_S = 30.0


class Answered(Exception):
    """PagerDuty answered something else than "accepted"."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status, self.text, self.headers = status, text, headers


class OneTry(pdpyras.EventsAPISession):  # type: ignore[misc]
    """A session that asks once: the library would ask again for minutes, and for ever where it is told of a limit."""

    max_network_attempts = 0
    timeout = TIMEOUT_S

    def postprocess(self, response: Any) -> None:
        """Called with each response, before the library decides whether to sleep and ask again."""
        if response.status_code != ACCEPTED:
            raise Answered(response.status_code, response.text, response.headers)


class PagerDuty:
    """One integration key of PagerDuty; build it with :func:`alerting.receivers.build.build`."""

    kind: ReceiverKind = "pagerduty"

    def __init__(self, secret: Secret, *, url: str, place: Place) -> None:
        """:raises ConfigError: there is no key, or it cannot be one."""
        self._url, self._place = url, place
        self._key = routing_key(secret)
        self.address, self.fingerprint = pagerduty_address(self._key), fingerprint(self._key)

    def __repr__(self) -> str:
        return f"PagerDuty({self.address})"

    def registered(self, call: Call, message: Message) -> None:
        """Its key says all."""

    def deliver(self, call: Call, message: Message) -> Receipt:
        """Trigger, or for a close resolve; never raises."""
        try:
            with _session(self._key, url=self._url) as session:
                self._send(session, call, message=message)
        except Answered as answer:
            said = quoted(_said(answer.text), secret=self._key)
            after_s = wait_s(answer.headers, default_s=LIMITED_S)
            final = answer.status == BAD_EVENT and _is_own(answer.text)
            receipt = refused(answer.status, said, vendor="PagerDuty", after_s=after_s, final=final)
            return replace(receipt, secret=self.fingerprint)
        except pdpyras.PDServerError:
            return Receipt("ok")  # accepted, with a body that the library cannot read
        except pdpyras.PDClientError as error:
            cause = error.__cause__ or error
            return retry(f"PagerDuty did not answer ({type(cause).__name__})")
        except Exception as error:
            log.error("a PagerDuty event could not be sent: %s", type(error).__name__)
            return retry(f"the event could not be sent ({type(error).__name__})")
        return Receipt("ok")

    def _send(self, session: OneTry, call: Call, *, message: Message) -> None:
        action = "resolve" if call.kind == "close" else "trigger"
        session.send_event(action, dedup_key(call.dedup_key), **event(call, message, place=self._place))


@contextlib.contextmanager
def _session(key: str, *, url: str) -> Iterator[OneTry]:
    session = OneTry(key)
    session.url = url.rstrip("/")
    session.max_redirects = 0
    session.trust_env = not is_loopback(url)  # no proxy between us and a recording receiver
    with contextlib.closing(session):
        yield session


def _is_own(text: str) -> bool:
    """Whether an error's body is PagerDuty's: it says ``status`` and ``message``."""
    with contextlib.suppress(ValueError):
        body = json.loads(text)
        return isinstance(body, dict) and {"status", "message"} <= body.keys()
    return False


def _said(text: str) -> str:
    """PagerDuty's own words in an error's body, else its beginning."""
    with contextlib.suppress(ValueError):
        body = json.loads(text)
        if isinstance(body, dict):
            errors = body.get("errors")
            parts = [body.get("message"), *(errors if isinstance(errors, list) else [errors])]
            return ", ".join(str(part) for part in parts if part)
    return text[:1000]

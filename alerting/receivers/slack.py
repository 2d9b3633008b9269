"""Slack by slack-sdk with a bot's token: one root message an incident, edited in place, and its history in the thread.

Slack has no deduplication: a post whose answer was lost may stand there.  So an opening in doubt looks for its root message
first, by the metadata that every root carries.  A thread is ``<channel id>:<ts>``; Slack edits by the channel's id only, and
tells it when a message is posted by name.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import ssl
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from alerting.deliveries import Call, Message, Receipt, ReceiverKind
from alerting.messages import slack as messages
from alerting.messages.place import Place
from alerting.messages.slack import Post
from alerting.receivers import slack_api
from alerting.receivers.address import fingerprint, slack_address
from alerting.receivers.secrets import Secret, bot_token
from alerting.receivers.slack_answers import ROOT_IS_GONE, THREAD_IS_GONE, TOO_RICH, receipt_of
from schemas.errors import ConfigError

log = logging.getLogger(__name__)

#: How many threads' state is held; one that is forgotten is read from Slack again.
THREADS = 4096


class Slack:
    """One channel; build it with :func:`alerting.receivers.build.build`.  The token is read at each call."""

    kind: ReceiverKind = "slack"

    def __init__(self, secret: Secret, *, channel: str, url: str, place: Place) -> None:
        """:raises ConfigError: there is no token."""
        self.fingerprint = fingerprint(bot_token(secret))
        self._secret, self._channel, self._url, self._place = secret, channel, url, place
        self._context = _trusted()
        self._told: OrderedDict[str, str] = OrderedDict()
        self.address = slack_address(channel)

    def __repr__(self) -> str:
        return f"Slack({self.address})"

    def registered(self, call: Call, message: Message) -> None:
        """A message is found again by its metadata."""

    def deliver(self, call: Call, message: Message) -> Receipt:
        """Post or edit; never raises."""
        token = ""
        try:
            token = bot_token(self._secret)
            client = slack_api.OneTry(token, url=self._url, context=self._context)
            return Receipt("ok", thread=self._tell(client, call, message))
        except ConfigError as error:
            return Receipt("retry", why=str(error))
        except SlackApiError as error:
            return replace(receipt_of(error, secret=token), secret=fingerprint(token))
        except OSError as error:
            return Receipt("retry", why=f"Slack did not answer ({type(error).__name__})")
        except Exception as error:
            log.error("a Slack message could not be sent: %s", type(error).__name__)
            return Receipt("retry", why=f"the message could not be sent ({type(error).__name__})")

    def _tell(self, client: WebClient, call: Call, message: Message) -> str | None:
        """The thread in which the incident stands now."""
        if call.kind == "note":
            self._remark(client, call, message)
            return None
        if call.kind == "digest":
            self._post(client, messages.digest(message, place=self._place), payload=_apart(message))
            return None
        if call.kind == "close":  # whatever the reason, here it is over
            message = replace(message, state="resolved")
        thread = call.thread or (self._found(client, call) if call.doubt or call.kind != "open" else None)
        if thread is not None and self._edited(client, thread, call, message=message):
            if call.kind == "open" and call.thread is None:
                self._remember(thread, _line(message.history[-1:]))  # a root says it all, found or posted
            else:
                self._continue(client, thread, call, message=message)
            return thread
        if call.kind == "close":
            return self._post(client, messages.orphaned(message, place=self._place), payload=_apart(message))
        thread = self._post(client, messages.root(message, place=self._place), payload=_payload(call, message))
        self._remember(thread, _line(message.history[-1:]))
        return thread

    def _remark(self, client: WebClient, call: Call, message: Message) -> None:
        """In the incident's thread and in the channel, because a note is there to be seen."""
        post = messages.note(call, message, place=self._place)
        try:
            if call.thread is not None:
                slack_api.post_line(client, call.thread, post, line="", broadcast=True)
                return
        except SlackApiError as error:
            if slack_api.error_of(error) not in THREAD_IS_GONE:
                raise
        self._post(client, post, payload=_apart(message))

    def _found(self, client: WebClient, call: Call) -> str | None:
        """The root of an earlier try; None where there is none, or the bot may not look."""
        try:
            return slack_api.find_root(client, self._channel, dedup_key=call.dedup_key)
        except SlackApiError as error:
            if receipt_of(error, secret="").outcome == "retry":
                raise
            log.warning("%s: earlier messages cannot be looked up (%s)", self.address, slack_api.error_of(error))
            return None

    def _post(self, client: WebClient, post: Post, *, payload: Mapping[str, str]) -> str:
        try:
            return slack_api.post_root(client, self._channel, post, payload=payload)
        except SlackApiError as error:
            if slack_api.error_of(error) not in TOO_RICH:
                raise
        return slack_api.post_root(client, self._channel, Post(post.text, []), payload=payload)

    def _edited(self, client: WebClient, thread: str, call: Call, *, message: Message) -> bool:
        """False where the root message is gone, or may not be edited any more."""
        payload, post = _payload(call, message), messages.root(message, place=self._place)
        try:
            slack_api.edit(client, thread, post, payload=payload)
        except SlackApiError as error:
            if slack_api.error_of(error) in ROOT_IS_GONE:
                return False
            if slack_api.error_of(error) not in TOO_RICH:
                raise
            slack_api.edit(client, thread, Post(post.text, []), payload=payload)
        return True

    def _continue(self, client: WebClient, thread: str, call: Call, *, message: Message) -> None:
        """Say in the thread what is new; in the channel too, where it got worse or is over."""
        closing = call.kind == "close"
        lines = self._news(client, thread, message=message)
        now = _line([call.dedup_key, "closed"]) if closing else _line(lines[-1:])
        if (not lines and not closing) or self._told.get(thread) == now:
            return
        post = messages.change(call, message, lines=lines)
        self._told.pop(thread, None)  # until it went well, what stands there is not known
        try:
            slack_api.post_line(client, thread, post, line=now, broadcast=_is_loud(call, message))
        except SlackApiError as error:
            if slack_api.error_of(error) not in THREAD_IS_GONE:
                raise
        self._remember(thread, now)

    def _news(self, client: WebClient, thread: str, *, message: Message) -> Sequence[str]:
        """The lines of the history that the thread does not tell yet; the last one where that cannot be known."""
        if thread not in self._told:
            with contextlib.suppress(SlackApiError):
                self._remember(thread, slack_api.last_line(client, thread) or "")
        lines = message.history
        known = [at for at, line in enumerate(lines) if _line([line]) == self._told.get(thread)]
        return lines[known[-1] + 1 :] if known else lines[-1:]

    def _remember(self, thread: str, line: str) -> None:
        self._told[thread] = line
        self._told.move_to_end(thread)
        if len(self._told) > THREADS:
            self._told.popitem(last=False)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Reading the machine's certificates takes some 20 ms of CPU, and receivers are built again every second."""
    return ssl.create_default_context()


def _is_loud(call: Call, message: Message) -> bool:
    """The channel hears of it too: it returned, got worse, or is over."""
    return call.kind != "update" or message.reason == "worse"


def _payload(call: Call, message: Message) -> dict[str, str]:
    """What a root message is found by."""
    return {"incident_id": message.incident, "dedup_key": call.dedup_key}


def _apart(message: Message) -> dict[str, str]:
    """Of the incident, and never taken for its root."""
    return {"incident_id": message.incident}


def _line(lines: Sequence[str]) -> str:
    """A line's name in the metadata of a message; what it says stays out of there."""
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()[:16] if lines else ""

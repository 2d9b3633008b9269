"""What Slack's errors mean for the register."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from alerting.deliveries import Receipt
from alerting.receivers.answers import SLOW_S, permanent, quoted, refused, retry, wait_s
from alerting.receivers.slack_api import error_of

#: Slack's trouble, not ours; every other name it gives is ours, and lasts.
PASSING = {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable"} | {
    "accesslimited",
    "team_added_to_org",
}
#: The root message cannot be edited: it was deleted, or is older than the workspace allows.
ROOT_IS_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
THREAD_IS_GONE = {"thread_not_found", "message_not_found", "cannot_reply_to_message", "restricted_action_thread_locked"}
#: The blocks are refused: the text alone says the most important part.
TOO_RICH = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
#: Slack's limit for posting is one message a second and channel.
LIMITED_S = 1.0


def receipt_of(error: SlackApiError, *, secret: str) -> Receipt:
    """The meaning of an answer that is not "ok"."""
    name, response = error_of(error), error.response
    after_s = wait_s(response.headers, default_s=LIMITED_S)
    if name in PASSING:
        return retry(
            f"Slack answered {name}", after_s=after_s if response.status_code == 429 or "limited" in name else None
        )
    said = quoted(name, secret=secret) if secret else name
    if response.status_code != 200:
        return refused(response.status_code, said, vendor="Slack", after_s=after_s, final=bool(name))
    return permanent(f"Slack answered {said}") if name else retry("Slack answered nothing of its own", after_s=SLOW_S)

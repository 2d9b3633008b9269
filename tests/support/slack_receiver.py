"""A receiver of Slack on a recording workspace, and what its messages show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alerting.deliveries import Call
from alerting.messages.place import Place
from alerting.receivers.secrets import Secret
from alerting.receivers.slack import Slack
from schemas.monitored import SecretPlace
from stream.local.receivers.slack import Posted
from tests.support.incident_messages import FIRING, call

TOKEN = "xoxb-not-a-real-token"


def made(url: str, folder: Path) -> Slack:
    """The receiver of #ml-p1; its token is in ``folder/token``."""
    (folder / "token").write_text(TOKEN)
    secret = Secret(SecretPlace(file=str(folder / "token")), "receivers.team.slack.token")
    return Slack(secret, channel="#ml-p1", url=f"{url}/api/", place=Place("prod", "http://127.0.0.1:8789"))


def told(kind: str = "open", **changes: Any) -> Call:
    """A call for Slack."""
    return call(kind, at="slack", **changes)


def opened(receiver: Slack) -> str:
    """The thread of a message that was opened."""
    thread = receiver.deliver(told(), FIRING).thread
    assert thread is not None
    return thread


def texts(posted: Posted) -> list[str]:
    """The text of each block that has one."""
    return [block["text"]["text"] for block in posted.content["blocks"] if "text" in block]

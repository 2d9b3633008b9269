"""An incident as Slack messages: the root, edited in place to what is true now, and a line in its thread for each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerting.deliveries import Call, Evidence, Message
from alerting.messages import incident as said
from alerting.messages.mrkdwn import TEXT, Block, blocks, code, context, escaped, fitted, header, moment, section
from alerting.messages.place import Place
from alerting.messages.wording import number

MEMBERS = 10
LINE = 280


@dataclass(frozen=True, slots=True)
class Post:
    """``text`` is what notifications and screen readers get; ``blocks`` what the channel shows."""

    text: str
    blocks: list[Block]


def root(message: Message, *, place: Place) -> Post:
    """The whole incident as it is now."""
    parts = [
        header(said.headline(message)),
        section(_what(message)),
        section([_member(member) for member in message.members[:MEMBERS]]),
        section(_why(message)),
        section([*(f"*Do* {code(command)}" for command in said.commands(message)), *_runbook(message, place=place)]),
        context(_footer(message, place=place)),
    ]
    return Post(fitted(said.headline(message), TEXT), blocks(parts))


def change(call: Call, message: Message, *, lines: Sequence[str]) -> Post:
    """What is new, for the thread; the newest lines where there are too many."""
    parts = [fitted(line, LINE) for line in lines[-20:]] or [fitted(message.why or call.why, LINE)]
    if message.state == "resolved":
        parts.append(f"*{fitted(said.headline(message), 600)}*: {_over(message)}")
    news = " · ".join((said.headline(message), *lines[-3:]))
    return Post(fitted(news, TEXT), blocks([section(parts)]))


def note(call: Call, message: Message, *, place: Place) -> Post:
    """Something to know that is no incident of its own."""
    text = f"{said.headline(message)}: {call.why or message.why}"
    return Post(fitted(text, TEXT), blocks([section([fitted(text, 2000)]), context(_footer(message, place=place))]))


def digest(message: Message, *, place: Place) -> Post:
    """What was over before this channel could be told of it: a line for each incident, none of which was opened here."""
    lines = [fitted(line, LINE) for line in message.history]
    text = " · ".join((message.title, *message.history[:3]))
    page = said.page(message, place.console_url)
    parts = [
        header(message.title),
        section(lines),
        section([f"*Do* {code('driftline incident ls --all')}"]),
        context(_link(page)) if page else None,
    ]
    return Post(fitted(text, TEXT), blocks(parts))


def orphaned(message: Message, *, place: Place) -> Post:
    """The end of an incident whose root message cannot be edited any more: it names the incident."""
    text = f"{said.headline(message)} (incident {message.incident}; an older message here may still say FIRING)"
    parts = [section([fitted(text, 2000), _over(message)]), context(_footer(message, place=place))]
    return Post(fitted(text, TEXT), blocks(parts))


def _what(message: Message) -> list[str]:
    began = moment(message.since_hi)
    if message.since_lo != message.since_hi:
        began = f"after {moment(message.since_lo)}, by {began}"
    since = f"*Since* {began} ({said.late(message)})" if message.late is not None else f"*Since* {began}"
    lines = [since, f"*Extent* {escaped(said.extent(message))}"]
    if said.cause(message):
        heading = "Likely cause" if message.cause_clear else "Cause unclear"
        lines.insert(0, f"*{heading}* {fitted(said.cause(message), 600)}")
    return [*lines, f"*Over* {_over(message)}"] if message.state == "resolved" else lines


def _over(message: Message) -> str:
    parts = [fitted(message.why, 600)]
    lasted, worst = said.lasted(message), said.peak(message)
    if lasted:
        parts.append(f"lasted at most {lasted}")
    if worst:
        parts.append(f"peak {fitted(f'{worst.rule} {number(worst.peak)} ({said.subject(worst)})', 300)}")
    return ", ".join(parts)


def _member(member: Evidence) -> str:
    mark = "•" if member.firing else "◦"
    return f"{mark} *{escaped(said.subject(member))}* {escaped(said.measured(member))}"


def _why(message: Message) -> list[str]:
    why = [] if message.state == "resolved" else [f"*Why you* {fitted(message.why, 600)}"]
    return [*why, *(escaped(line) for line in said.attention(message))]


def _runbook(message: Message, *, place: Place) -> list[str]:
    found = None if message.state == "resolved" else said.runbook(message, place.runbook_url)
    if found is None:
        return []
    return [f"*Runbook* {_link(found, found.rpartition('/')[2]) if said.is_link(found) else code(found)}"]


def _footer(message: Message, *, place: Place) -> str:
    page = said.page(message, place.console_url)
    parts = [
        f"incident {code(message.incident)}",
        f"environment {fitted(place.environment, 60)}" if place.environment else "",
        f"related {fitted(', '.join(message.links), 400)}" if message.links else "",
        _link(page) if page else "",
    ]
    return " · ".join(part for part in parts if part)


def _link(page: str, text: str = "open in the console") -> str:
    return f"<{page.replace('&', '&amp;').replace('|', '%7C').replace('>', '%3E')}|{escaped(text)}>"

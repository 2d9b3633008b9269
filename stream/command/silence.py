"""``driftline silence``: openings and repeats muted for a while; closings always pass."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
import typer
from redis.asyncio import Redis

from alerting.matchers import parse_matcher
from alerting.silences import silence_problem
from schemas.actions import AddSilence, ExpireSilence, Matcher
from schemas.durations import milliseconds_of
from schemas.incidents import SilenceView
from schemas.names import Names
from schemas.settings import Settings, load_settings
from stream.command.actions import By, Comment, act, now_ms, tell, user
from stream.command.connect import ask_redis
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.state.clock import read_clock, read_replayed
from stream.state.incidents import read_silences

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def silence() -> None:
    """Silences: findings that nobody is to be told of for a while."""


def _matcher(text: str) -> Matcher:
    try:
        return parse_matcher(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _duration(text: str) -> int:
    try:
        return milliseconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}") from None


def _owner_now(settings: Settings) -> int:
    """What time it is for the incident owner: Redis' time, and in a replay the time that it has got to.

    Which clock it goes by is stored with it; before there was an owner, it is what this command is set to.
    """

    async def stored(redis: Redis, names: Names) -> int | None:
        clock = await read_clock(redis, names) or settings.clock
        return await read_replayed(redis, names) if clock == "event" else None

    now = ask_redis(settings, stored)
    return now_ms(settings) if now is None else now


@app.command()
def add(
    matchers: Annotated[
        list[str],
        typer.Argument(metavar="MATCHER...", help="""Conditions that all hold, such as 'feature=~"temp|dewp"'."""),
    ],
    *,
    length: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 2h; at most 365d.")],
    by: By = None,
    comment: Comment = "",
) -> None:
    """Mute the findings that all matchers match, from now on, for a while.

    Matchers are about a finding's own labels (model, feature, source, kind, rule, window, owner, subject and others) or about
    an incident's id. What is inferred (severity, cause) is refused, because it may change while the silence holds, and so is
    a silence that everything matches.
    """
    settings = load_settings()
    parsed, length_ms, who = tuple(map(_matcher, matchers)), _duration(length), user(by)
    starts = _owner_now(settings)
    action = AddSilence(
        silence=f"s-{secrets.token_hex(4)}", matchers=parsed, starts=starts, ends=starts + length_ms,
        by=who, at=starts, comment=comment,
    )  # fmt: skip
    problem = silence_problem(action)
    if problem:
        raise typer.BadParameter(problem)
    tell(act(settings, action))


@app.command("ls")
def list_silences(*, as_json: AsJson = False) -> None:
    """List the silences in force, and those still to come."""
    settings = load_settings()
    now = _owner_now(settings)
    found = [one for one in ask_redis(settings, read_silences) if one.ends > now]
    if as_json:
        print_json({"silences": [msgspec.to_builtins(one) for one in found]})
    elif found:
        print_table(columns=("silence", "until", "by", "matchers", "comment"), rows=map(_row, found))
    else:
        print_lines(["no silences"])


@app.command()
def expire(
    silence: Annotated[str, typer.Argument(metavar="ID", help="As `silence ls` prints it; its beginning is enough.")],
    *,
    by: By = None,
) -> None:
    """End a silence now: what fires and was never told is told. The exit code is 1 where there is no such silence."""
    settings, who = load_settings(), user(by)
    found = [one.id for one in ask_redis(settings, read_silences) if one.id.startswith(silence)]
    if len(found) > 1:
        raise typer.BadParameter(f"{silence!r} begins several silences: {', '.join(found)}")
    action = ExpireSilence(silence=found[0] if found else silence, by=who, at=now_ms(settings))
    tell(act(settings, action))


def _row(one: SilenceView) -> tuple[object, ...]:
    return one.id, moment(one.ends), one.by, " ".join(one.matchers), one.comment

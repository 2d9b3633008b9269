"""The receivers of a configuration in force, by address.

Build them again every few seconds and compare ``names``: a rotated integration key is another address, and a secret that was
missing may have come.  Building asks no vendor anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from alerting.messages.place import Place
from alerting.policy import Clock
from alerting.receivers.alertmanager import Alertmanager
from alerting.receivers.endpoints import Endpoints, checked
from alerting.receivers.pagerduty import PagerDuty
from alerting.receivers.receiver import Receiver
from alerting.receivers.secrets import Secret
from alerting.receivers.slack import Slack
from schemas.errors import ConfigError, Problem
from schemas.monitored import ReceiverMonitor

Real = PagerDuty | Slack | Alertmanager
PAGERDUTY_SETTING, SLACK_SETTING = "DRIFTLINE_PAGERDUTY_URL", "DRIFTLINE_SLACK_URL"


@dataclass(frozen=True, slots=True)
class Built:
    """``receivers`` by address; ``names`` -> the addresses each stands for (none: only the console shows it).

    ``problems`` are secrets that could not be read: what needs them is left out, all else is there.  ``fingerprints`` tell by
    address which secret is there.
    """

    receivers: Mapping[str, Receiver]
    names: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)


def build(receivers: Mapping[str, ReceiverMonitor], *, environment: str, endpoints: Endpoints, clock: Clock) -> Built:
    """Everything that can be built.

    :raises ConfigError: an endpoint that is needed may not be used; in a replay (``clock`` is ``event``) every real one.
    """
    place = Place(environment, endpoints.console_url, endpoints.runbook_url)
    found: dict[str, Real] = {}
    names: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    _check(receivers.values(), endpoints, clock=clock)
    for name, monitor in receivers.items():
        making = [*_makers(name, monitor, endpoints, place=place), *_alertmanager(name, monitor, clock, place=place)]
        own, wrong = _of(making)
        found = {receiver.address: receiver for receiver in own} | found  # an address has one receiver: the first
        names[name] = tuple(receiver.address for receiver in own)
        problems += wrong
    return Built(found, names, tuple(problems), {address: one.fingerprint for address, one in found.items()})


def _check(monitors: Iterable[ReceiverMonitor], endpoints: Endpoints, *, clock: Clock) -> None:
    monitors = list(monitors)
    if any(monitor.pagerduty for monitor in monitors):
        checked(endpoints.pagerduty_url, clock=clock, setting=PAGERDUTY_SETTING)
    if any(monitor.slack for monitor in monitors):
        checked(endpoints.slack_url, clock=clock, setting=SLACK_SETTING)


def _of(makers: Iterable[Callable[[], Real]]) -> tuple[list[Real], list[Problem]]:
    own: list[Real] = []
    problems: list[Problem] = []
    for making in makers:
        try:
            own.append(making())
        except ConfigError as error:
            problems += error.problems
    return own, problems


def _makers(name: str, monitor: ReceiverMonitor, endpoints: Endpoints, *, place: Place) -> Iterator[Callable[[], Real]]:
    if monitor.pagerduty:
        secret = Secret(monitor.pagerduty.routing_key, f"receivers.{name}.pagerduty.routing_key")
        yield partial(PagerDuty, secret, url=endpoints.pagerduty_url, place=place)
    if monitor.slack:
        secret = Secret(monitor.slack.token, f"receivers.{name}.slack.token")
        yield partial(Slack, secret, channel=monitor.slack.channel, url=endpoints.slack_url, place=place)


def _alertmanager(name: str, monitor: ReceiverMonitor, clock: Clock, *, place: Place) -> Iterator[Callable[[], Real]]:
    if monitor.alertmanager:
        key, where = f"receivers.{name}.alertmanager", monitor.alertmanager.token
        secret = Secret(where, f"{key}.token") if where else None
        yield partial(Alertmanager, monitor.alertmanager.url, secret, key=f"{key}.url", place=place, clock=clock)

"""A model of which it is told that it has no traffic: an alert of its own, while of everything else nothing is known.

What fired before is not over and no news either: it is neither closed for want of a word nor said again.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerting.draft import Draft
from alerting.incident import Incident


def is_silence(incident: Incident) -> bool:
    """Whether it is about models without traffic."""
    seed = incident.members.get(incident.seed)
    return seed is not None and seed.finding.kind == "no_traffic"


def words(draft: Draft, model: str) -> Iterator[int]:
    """When it was said last that nothing of a model comes, by the owner's clock; nothing while its events come."""
    for name in draft.before.index.by_model.get(model, ()):
        for member in draft.incidents[name].members.about(f"model:{model}"):
            if member.finding.kind == "no_traffic" and member.state == "firing":
                yield member.finding.seen


def stopped(draft: Draft, incident: Incident) -> bool:
    """Whether nothing comes of any model that it is about."""
    if is_silence(incident):
        return False
    models = incident.members.by_model
    active = (model for model in models if any(member.active for _, member in models[model].rows()))
    return all(any(words(draft, model)) for model in active)

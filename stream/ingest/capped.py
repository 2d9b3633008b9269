"""What was beyond a cap on names or values, by cap: whatever a producer writes, what it can make grow has an end.

Nothing of an event is lost at a cap but detail: it is counted, judged or kept as one of *the others*.  ``CAPS`` are all that a
worker counts as ``driftline_capped_total``; the runbook of its alert says of each where the limit is and what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from schemas.config import Generation
from schemas.reference import CategoricalProfile, Reference
from stream.ingest.plan import StreamPlan

Cap = Literal["categories", "series", "undeclared", "learned", "versions", "letters", "gpus"]
CAPS: Final[tuple[Cap, ...]] = get_args(Cap)
#: Features of a model that are exported, the most important first: each has a series in every family of features.
MOST_FEATURES: Final = 200


def of_generation(generation: Generation, references: Mapping[str, Reference]) -> Counter[Cap]:
    """What of a configuration is beyond a cap: features of more names than are told apart, and features without series.

    :param references: by hash, all that the generation names.
    """
    found: Counter[Cap] = Counter()
    for force in generation.models.values():
        features = force.monitor.features
        found["series"] += max(0, len(features) - MOST_FEATURES)
        profiles = references[force.reference].features
        found["categories"] += sum(
            _is_folded(profiles.get(name), feature.top)
            for name, feature in features.items()
            if feature.type == "categorical" and not feature.hash
        )
    return found


def of_plans(plans: Iterable[StreamPlan]) -> Counter[Cap]:
    """What events had beyond the caps on names, since these decoders were made."""
    found: Counter[Cap] = Counter()
    for decoder in (plan.decoder for plan in plans):
        found["learned"] += decoder.strangers.beyond
        found["undeclared"] += decoder.unregistered.beyond
        found["versions"] += decoder.versions.beyond
    return found


def _is_folded(profile: object, top: int) -> bool:
    return isinstance(profile, CategoricalProfile) and (len(profile.categories) > top or profile.other > 0)

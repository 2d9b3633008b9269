"""How bad a verdict is: one table, with the reason of each line.  Pure.

==================  ============================================================  ====  ========================================
kind                where                                                         is    because
==================  ============================================================  ====  ========================================
no traffic          always                                                        P0    the service is down for its callers
error               every request failed                                          P0    the same
error               the share is above what was promised                          P1    a promise is broken
latency             at least twice what was promised                              P1    callers time out
latency             above what was promised                                       P2    callers wait, and are served
drift, missing,     importance declared as 0                                      P3    the model does not look at it
stale
the same            heavy, and importance at least 0.1                            P1    strong, and on what matters
the same            otherwise                                                     P2    to be looked at in hours of work
prediction drift    PSI or KS at least 4 times the threshold                      P1    what is decided for people has changed
prediction drift    otherwise                                                     P2    it follows its inputs, often rightly
a source's middle   always (P3 where importance is declared as 0)                 P2    says that something moved, not how badly
quality: vanished,  importance at least 0.1                                       P1    the model is blind in what matters
constant, stuck
the same            otherwise                                                     P2    to be looked at in hours of work
quality: a share    of wrong types a tenth of the rows, importance at least 0.1   P1    the sender breaks what was agreed
the same            at least a hundredth and twice the threshold, and             P2    to be looked at in hours of work
                    importance at least 0.1 or not declared
the same            otherwise, and where a limit was learned that no budget sets  P3    by chance it is passed
drift               by the rule of thumb, until the stream has calibrated the     P3    it knows no rate, and the budget is a
                    test that is to decide by the budget                            promise
duplicates          always                                                        P2    numbers are counted twice, nobody waits
a chart             where no budget sets its limit                                P3    alarms often where values hang together
==================  ============================================================  ====  ========================================

*Heavy* is a value of at least twice the threshold (for missing, of at least a tenth of the rows as well).  A p-value is never
heavy: with rows enough the slightest change has a tiny one; of what the calibrated test finds, PSI says how heavy it is, and of
what a budgeted chart finds the square of the shift in sd, which is what PSI would be.
Drift is never P0: it is not known to harm.
"""

from __future__ import annotations

from typing import Literal

from detectors.quality.verdict import Check
from schemas.findings import Severity
from stream.evaluate.columns.rules import P_VALUES

#: From this importance on a feature matters.
MATTERS = 0.1
HEAVY, HEAVY_PREDICTION = 2.0, 4.0
#: A share of missing rows below this is never heavy, however small the threshold.
HEAVY_MISSING = 0.1
#: Checks of data quality after which nothing is left of a feature.
BLIND: tuple[Check, ...] = ("vanished", "constant", "stuck")
#: A smaller share of the rows is no reason to look at once.
FEW_ROWS = 0.01


def of_feature(rule: str, value: float, threshold: float, *, importance: float | None) -> Severity:
    """Of drift, missing values or stale ones in a feature; ``importance`` is None where none is declared.

    >>> of_feature("psi", 0.5, 0.25, importance=0.1), of_feature("psi", 0.49, 0.25, importance=0.1)
    ('P1', 'P2')
    >>> of_feature("ks_p", 1e-30, 0.01, importance=0.3), of_feature("psi", 9.0, 0.25, importance=0.0)
    ('P2', 'P3')
    """
    if importance == 0:
        return "P3"
    heavy = rule not in P_VALUES and value >= HEAVY * threshold and (rule != "missing" or value >= HEAVY_MISSING)
    return "P1" if heavy and importance is not None and importance >= MATTERS else "P2"


def of_source(importance: float | None) -> Severity:
    """Of features of one source that moved together; ``importance`` is the greatest that is declared of one of them.

    >>> of_source(0.3), of_source(None), of_source(0.0)
    ('P2', 'P2', 'P3')
    """
    return "P3" if importance == 0 else "P2"


def of_quality(check: Check, value: float, threshold: float, *, importance: float | None) -> Severity:
    """Of a check of data quality that fails, by its share of rows or of values.

    >>> of_quality("unseen", 0.008, 0.0004, importance=0.05), of_quality("unseen", 0.2, 0.0004, importance=0.3)
    ('P3', 'P2')
    >>> of_quality("vanished", 1.0, 0.0, importance=0.3), of_quality("type", 0.2, 0.0, importance=0.3)
    ('P1', 'P1')
    """
    if importance == 0:
        return "P3"
    if check in BLIND or (check == "type" and value >= HEAVY_MISSING):
        return "P1" if importance is not None and importance >= MATTERS else "P2"
    heavy = value >= max(HEAVY * threshold, FEW_ROWS)
    return "P2" if heavy and (importance is None or importance >= MATTERS) else "P3"


def of_prediction(rule: str, value: float, threshold: float) -> Severity:
    """Of a change in what the model says.

    >>> of_prediction("psi", 1.0, 0.25), of_prediction("psi", 0.9, 0.25)
    ('P1', 'P2')
    """
    return "P1" if rule not in P_VALUES and value >= HEAVY_PREDICTION * threshold else "P2"


def of_errors(ratio: float) -> Severity:
    """Of a share of failed requests that breaks the promise."""
    return "P0" if ratio >= 1.0 else "P1"


def of_latency(seconds: float, promised: float) -> Severity:
    """Of a latency above what was promised.

    >>> of_latency(1.0, 0.5), of_latency(0.6, 0.5)
    ('P1', 'P2')
    """
    return "P1" if seconds >= HEAVY * promised else "P2"


OF_CHART: Literal["P3"] = "P3"
OF_LEARNED: Literal["P3"] = "P3"
OF_AWAITED: Literal["P3"] = "P3"
OF_DUPLICATES: Literal["P2"] = "P2"
OF_NO_TRAFFIC: Literal["P0"] = "P0"

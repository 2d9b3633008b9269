"""Errors of the consumer group, of which aiokafka tells nobody: most pass, some need a person before a restart helps."""

from __future__ import annotations

from aiokafka import errors

#: The error, and what is to be done about it.
_FOR_A_PERSON = {
    errors.GroupAuthorizationFailedError: "grant this user READ on the group",
    errors.TopicAuthorizationFailedError: "grant this user READ and DESCRIBE on the topics",
    errors.SaslAuthenticationFailed: "correct the user or its password",
}


def to_be_mended(error: BaseException) -> str:
    """What a person has to do before this worker can read; empty where the group comes back by itself.

    >>> to_be_mended(errors.GroupAuthorizationFailedError("driftline"))
    'grant this user READ on the group'
    >>> to_be_mended(errors.RebalanceInProgressError())
    ''
    """
    return next((remedy for kind, remedy in _FOR_A_PERSON.items() if isinstance(error, kind)), "")

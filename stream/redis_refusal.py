"""Why Redis wants nothing to do with a client, where waiting does not mend it: a password, rights, a certificate, a cluster.

>>> from redis.exceptions import NoPermissionError
>>> error = NoPermissionError("this user has no permissions to run the 'xadd' command")
>>> print(refusal(error, where="redis://cache:6379/0").problems[0].message)  # doctest: +ELLIPSIS
at redis://cache:6379/0 refuses this user (this user has no ... 'xadd' command); give it the rights that docs/operations.md lists
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    MovedError,
    NoPermissionError,
    RedisClusterException,
)

from schemas.errors import ConfigError, Problem

_WRONG_USER = AuthenticationError, AuthenticationWrongNumberOfArgsError, AuthorizationError
_RIGHTS = "give it the rights that docs/operations.md lists"


def refusal(error: BaseException, *, where: str) -> ConfigError | None:
    """What to say of an error that stays until somebody corrects something; None of any other. ``where`` is shown as it is."""
    for one in _chain(error):
        said = _said(one, where)
        if said is not None:
            return ConfigError([Problem("Redis", 0, "", said)])
    return None


def _said(error: BaseException, where: str) -> str | None:
    if isinstance(error, NoPermissionError):
        return f"at {where} refuses this user ({error}); {_RIGHTS}"
    if isinstance(error, _WRONG_USER):
        return f"at {where} refuses this user ({error}); correct the user and password in DRIFTLINE_REDIS"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"at {where} shows a certificate that is not trusted ({error.verify_message}); "
            "set DRIFTLINE_REDIS_CA to the file of the authority that signed it, and DRIFTLINE_REDIS to a name that it holds"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"at {where} and this client do not agree about TLS ({error}); "
            "see DRIFTLINE_REDIS_CA, DRIFTLINE_REDIS_CERT and DRIFTLINE_REDIS_KEY, and whether it speaks TLS on that port"
        )
    return _of_a_cluster(error, where)


def _of_a_cluster(error: BaseException, where: str) -> str | None:
    if isinstance(error, MovedError):
        return (
            f"at {where} is a node of a cluster; let DRIFTLINE_REDIS begin with redis+cluster:// (or rediss+cluster://)"
        )
    if isinstance(error, RedisClusterException) and "not enabled" in str(error):
        return f"at {where} is no node of a cluster; leave +cluster out of DRIFTLINE_REDIS"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

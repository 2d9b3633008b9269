"""What people order of releases, from the incident owner, who reads it from ``actions``, to whoever evaluates the model.

One hash in the owner's slot, model -> its newest order (JSON): written with the offset of the record that it stands in, so an order
is never lost nor put back by an older one.  It stays where it is; who evaluates keeps which one was obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from schemas.actions import OrderRelease
from schemas.names import Names

log = logging.getLogger(__name__)

#: Name of the hash within the owner's slot.
ORDERS = "orders"
_DECODER = msgspec.json.Decoder(OrderRelease)


async def read_orders(redis: Redis, names: Names) -> Mapping[str, OrderRelease]:
    """The newest order of each model; one that is damaged is none."""
    found: Any = await redis.hgetall(names.incidents(ORDERS))
    orders: dict[str, OrderRelease] = {}
    for model, value in found.items():
        try:
            orders[model.decode()] = _DECODER.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.debug("an order is left out: %s", error)
    return orders

"""An assignment that takes longer than a request may is waited for; a new assignment still ends the wait."""

from __future__ import annotations

import asyncio
from typing import Any

import faust
import pytest
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped

from stream.taking import UnhurriedRecovery, UnhurriedTables


def recovery(tables: type[TableManager] = UnhurriedTables) -> Recovery:
    """Of an app that is not started."""
    app: Any = faust.App("taking", broker="memory://", autodiscover=False, TableManager=tables)
    made: Recovery = app.tables.recovery
    return made


def test_a_seek_may_take_longer_than_a_request() -> None:
    async def waited() -> list[str]:
        done: list[str] = []

        async def seek() -> None:
            await asyncio.sleep(0.05)
            done.append("placed")

        made = recovery()
        assert isinstance(made, UnhurriedRecovery)
        await made._wait(seek(), timeout=0.01)
        return done

    assert asyncio.run(waited()) == ["placed"]


def test_a_new_assignment_ends_the_wait() -> None:
    async def interrupted() -> None:
        made = recovery()
        asyncio.get_running_loop().call_later(0.05, made.signal_recovery_start.set)
        await made._wait(asyncio.sleep(60), timeout=0.01)

    with pytest.raises(RebalanceAgain):
        asyncio.run(interrupted())


def test_faust_takes_a_time_out_for_the_end_of_the_service() -> None:
    """Once it does not, ``stream/taking.py`` is no longer needed."""

    async def hurried() -> None:
        await recovery(TableManager)._wait(asyncio.sleep(60), timeout=0.01)

    with pytest.raises(ServiceStopped):
        asyncio.run(hurried())

"""What one look found, for ``--once`` and ``--check``: plain values, as they are printed."""

from __future__ import annotations

import time
from typing import Any

from stream.gpu.agent import Agent
from stream.gpu.sample import Sample


async def looked(agent: Agent) -> None:
    """Begin NVML and look at every GPU once."""
    await agent.tick(now_s=time.monotonic(), at_ms=time.time_ns() // 1_000_000)
    await agent.settled()


def is_well(agent: Agent) -> bool:
    """There are GPUs, and each answers."""
    standing = agent.standing()
    return standing.state == "running" and all(one.available for one in standing.samples)


def samples_of(agent: Agent) -> dict[str, Any]:
    """The agent's state, and the events that would be published."""
    return {"state": agent.state, "says": agent.says, "samples": [one.event() for one in agent.standing().samples]}


def findings_of(agent: Agent) -> dict[str, Any]:
    """All that NVML gives here, and what it does not."""
    gpus = [_gpu(one) for one in agent.standing().samples]
    return {"state": agent.state, "says": agent.says, "driver": agent.driver or None, "gpus": gpus}


def _gpu(one: Sample) -> dict[str, Any]:
    return {
        "gpu": one.gpu,
        "uuid": one.uuid,
        "name": one.name,
        "state": one.state,
        "mig": one.mig,
        "metrics": dict(one.metrics),
        "processes": {str(pid): memory for pid, memory in one.processes.items()},
        "not_told": dict(one.unanswered),
        "not_believed": dict(one.refused),
    }

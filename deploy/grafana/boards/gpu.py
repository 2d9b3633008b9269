"""GPUs and tokens: memory first, for it is what ends a serving process; then heat, faults, and how long requests are."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards.board import board, by_pane, chosen, with_row
from deploy.grafana.boards.panels import HERE, OF_MODEL, Text, heat, lines, number

_OF_GPU = f'{HERE}, uuid=~"$gpu"'
_CALLED = "{{instance}} {{gpu}}"
_USED = f"1 - nvidia_gpu_memory_free_bytes{{{_OF_GPU}}} / nvidia_gpu_memory_total_bytes{{{_OF_GPU}}}"


def gpu() -> Dashboard:
    """The dashboard."""
    made = board("GPUs and tokens", name="gpu", means="GPUs as NVML tells of them, and the tokens of what they answer.")
    made = made.with_variable(chosen("gpu", of=f"driftline_gpu_available{{{HERE}}}", label="uuid"))
    made = made.with_variable(chosen("model", of=f"model_requests_total{{{HERE}}}", label="model_name"))
    return _tokens(_faults(_load(_now(by_pane(made)))))


def _now(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Now",
        number(Text("GPUs", "That can be read.", "short"), f"sum(driftline_gpu_available{{{_OF_GPU}}})"),
        number(
            Text("Lost", "GPUs that were there and cannot be read.", "short"),
            f"count(driftline_gpu_available{{{_OF_GPU}}} == 0) or vector(0)",
            steps=((None, "green"), (1.0, "red")),
        ),
        number(
            Text("Fullest memory", "Share of its memory that the fullest GPU has in use.", "percentunit"),
            f"max({_USED})",
            steps=((None, "green"), (0.9, "orange"), (0.95, "red")),
        ),
        number(
            Text("Hottest", "Temperature of the hottest GPU.", "celsius"),
            f"max(nvidia_gpu_temperature_celsius{{{_OF_GPU}}})",
            steps=((None, "green"), (80.0, "orange"), (90.0, "red")),
        ),
        number(Text("Power", "Of all GPUs.", "watt"), f"sum(nvidia_gpu_power_watts{{{_OF_GPU}}})"),
        number(
            Text("Memory of models", "Memory in use on all GPUs.", "bytes"), f"sum(model_gpu_memory_bytes{{{HERE}}})"
        ),
    )


def _load(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Load",
        lines(Text("Memory in use", "Share of a GPU's memory.", "percentunit"), (_USED, _CALLED)),
        lines(
            Text("Utilisation", "Share of time in which a kernel ran.", "percentunit"),
            (f"nvidia_gpu_utilization_ratio{{{_OF_GPU}}}", _CALLED),
        ),
        lines(Text("Power", "Of each GPU.", "watt"), (f"nvidia_gpu_power_watts{{{_OF_GPU}}}", _CALLED)),
        lines(
            Text("Temperature", "Of each GPU.", "celsius"), (f"nvidia_gpu_temperature_celsius{{{_OF_GPU}}}", _CALLED)
        ),
        lines(
            Text("Clock", "Of the multiprocessors; lower under load means it is throttled.", "hertz"),
            (f"nvidia_gpu_sm_clock_hertz{{{_OF_GPU}}}", _CALLED),
        ),
        lines(Text("Processes", "That compute on a GPU.", "short"), (f"nvidia_gpu_processes{{{_OF_GPU}}}", _CALLED)),
    )


def _faults(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Faults",
        lines(
            Text("Throttled", "Reasons for a lower clock, NVML's bits; 1 is idle, 0 is none.", "short"),
            (f"nvidia_gpu_throttle_reasons{{{_OF_GPU}}}", _CALLED),
            width=6,
        ),
        lines(
            Text("Memory errors", "ECC errors since the driver was loaded.", "short"),
            (f"nvidia_gpu_ecc_uncorrected{{{_OF_GPU}}}", f"{_CALLED} not corrected"),
            (f"nvidia_gpu_ecc_corrected{{{_OF_GPU}}}", f"{_CALLED} corrected"),
            width=6,
        ),
        lines(
            Text("Available", "1: it can be read; 0: lost. Absent is not 0: nobody asks.", "short"),
            (f"driftline_gpu_available{{{_OF_GPU}}}", _CALLED),
            width=6,
        ),
        lines(
            Text("States", "Of GPUs and of the agents that ask them: what is 1 now.", "short"),
            (f"driftline_gpu_state{{{_OF_GPU}}} == 1", f"{_CALLED} {{{{state}}}}"),
            (f"driftline_gpu_agent_state{{{HERE}}} == 1", "{{instance}} agent {{state}}"),
            width=6,
        ),
    )


def _tokens(made: Dashboard) -> Dashboard:
    def buckets(name: str) -> str:
        return f"sum by (le) (increase(model_{name}_bucket{{{OF_MODEL}}}[$__rate_interval]))"

    def rate(name: str) -> str:
        return f"sum by (model_name) (rate(model_{name}_sum{{{OF_MODEL}}}[$__rate_interval]))"

    return with_row(
        made,
        "Tokens",
        heat(Text("Length of requests", "Requests by their tokens.", "short"), buckets("input_tokens")),
        heat(Text("Length of answers", "Answers by their tokens.", "short"), buckets("output_tokens")),
        lines(
            Text("Tokens", "A second, in and out.", "short"),
            (rate("input_tokens"), "{{model_name}} in"),
            (rate("output_tokens"), "{{model_name}} out"),
            width=24,
        ),
    )

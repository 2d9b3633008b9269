"""Histories in which an alert about a model, its data or a GPU fires at the end, and histories in which it does not."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.promtool import LOST, NONE, Case, Minutes, flat, rising

A, B = 'job="driftline",instance="a:8780"', 'job="driftline",instance="b:8780"'
M = 'model_name="m"'
OF_M = {"job": "driftline", "model_name": "m"}
OF_TEMP = {**OF_M, "feature_name": "temp"}
TEMP = f'feature_name="temp",{M},{A}'
GPU = 'gpu="0",uuid="GPU-1",job="gpu",instance="host:9400"'
OF_GPU = {"gpu": "0", "uuid": "GPU-1", "job": "gpu", "instance": "host:9400"}
PANE = 60  # minutes of an hourly pane
CONFIGURED = f"driftline_model_configured{{{M},{B}}}"  # the owner of incidents says so, whoever evaluates


def requests(success: Minutes, error: Minutes | None = None, *, worker: str = A) -> dict[str, Minutes]:
    """A model's requests by status; without ``error`` there is no such series at all."""
    made = {f'model_requests_total{{{M},status="success",{worker}}}': success}
    return made if error is None else {**made, f'model_requests_total{{{M},status="error",{worker}}}': error}


def latency(up_to_1: float, up_to_2: float, up_to_5: float) -> dict[str, Minutes]:
    """So many requests a minute that took at most 1, 2 and 5 s."""
    made = {"1.0": up_to_1, "2.0": up_to_2, "5.0": up_to_5, "+Inf": up_to_5}
    name = f'model_inference_latency_seconds_bucket{{{M},service="api",{A},le='
    return {f'{name}"{le}"}}': rising(by, 40) for le, by in made.items()}


def predictions(mean: Minutes) -> dict[str, Minutes]:
    """Mean predictions of a model that predicted 0.2 on average, and 0.01 more or less from window to window."""
    fixed = {"model_baseline_mean": 0.2, "model_baseline_std": 0.01}
    return {
        f"model_prediction_mean{{{M},{A}}}": mean,
        **{f"{name}{{{M},{A}}}": flat(value, len(mean)) for name, value in fixed.items()},
    }


def updated(last: Minutes, *, sla: float = 7200, worker: str = A) -> dict[str, Minutes]:
    """When a feature was updated last, and its promise."""
    return {
        f'feature_last_updated_timestamp{{feature_name="temp",{M},{worker}}}': last,
        f'feature_freshness_sla_seconds{{feature_name="temp",{M},{worker}}}': [
            value if isinstance(value, str) else sla for value in last
        ],
    }


def one(series: str, values: Minutes, fires: Mapping[str, str] | None = None) -> Case:
    return Case({series: values}, [] if fires is None else [fires])


def memory(free: float) -> dict[str, Minutes]:
    total = flat(80e9, 20)
    return {f"nvidia_gpu_memory_free_bytes{{{GPU}}}": flat(free, 20), f"nvidia_gpu_memory_total_bytes{{{GPU}}}": total}


#: A model moves from a to b: a stops in one minute, b goes on from the same sums in the next; 100 requests a minute.
MOVED = {
    **requests([*rising(100, 30), LOST], [*flat(0, 30), LOST]),
    **requests([*[NONE] * 31, *rising(100, 29, start=3100)], [*[NONE] * 31, *flat(0, 29)], worker=B),
}
CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
FIRES: dict[str, list[Case]] = {
    "DriftlineModelAbsent": [
        # It was exported, and is not any more.
        Case(
            {
                f'model_predictions_total{{{M},service="api",{A}}}': [*flat(5, 60), LOST, *[NONE] * 30],
                f"driftline_leases{{{A}}}": flat(64, 91),
                CONFIGURED: flat(1, 91),
            },
            [OF_M],
        ),
        # It never was.
        Case({f"driftline_leases{{{A}}}": flat(64, 20), CONFIGURED: flat(1, 20)}, [OF_M]),
    ],
    "DriftlineModelRequestsDropped": [
        Case(
            requests([*rising(1200, 74), *flat(1200 * 73, 6)], flat(0, 80)), [OF_M], every=20
        ),  # nothing since two hours
        Case(
            requests([*rising(9000, 340), *rising(3000, 12, start=9000 * 340)]), [OF_M], every=30
        ),  # a third of last week's
    ],
    "DriftlineModelSlow": [Case(latency(90, 94, 100), [OF_M])],
    "DriftlineModelDrift": [one(f"model_drift_score{{{M},{A}}}", flat(0.4, 40), OF_M)],
    "DriftlinePredictionShift": [Case(predictions(flat(0.24, 40)), [OF_M]), Case(predictions(flat(0.16, 40)), [OF_M])],
    "DriftlineModelVersionChanged": [
        Case(
            {
                f'model_version_info{{{M},version="3",{A}}}': flat(1, 40),
                f'model_version_info{{{M},version="4",{A}}}': [*[NONE] * 35, *flat(1, 5)],
            },
            [{**OF_M, "version": "4"}],
        ),
    ],
    "DriftlineFeatureMissing": [one(f"feature_missing_ratio{{{TEMP}}}", flat(0.5, 40), OF_TEMP)],
    "DriftlineFeatureStale": [
        # Two hours are promised, and the last value came three hours ago.
        Case(updated([*rising(300, 13), *flat(3600, 36)]), [OF_TEMP], every=5),
        Case(updated(flat(0, 40), sla=1800), [OF_TEMP]),
    ],
    "DriftlineGpuMemoryNearlyFull": [Case(memory(3e9), [OF_GPU])],
    "DriftlineGpuHot": [one(f"nvidia_gpu_temperature_celsius{{{GPU}}}", flat(91, 20), OF_GPU)],
    "DriftlineGpuXid": [
        one(
            f'nvidia_gpu_xid_errors_total{{{GPU},xid="79"}}',
            [*flat(0, 30), *flat(1, 5)],
            {**OF_GPU, "xid": "79", **CRITICAL},
        ),
        one(
            f'nvidia_gpu_xid_errors_total{{{GPU},xid="31"}}',
            [*[NONE] * 30, *flat(1, 5)],
            {**OF_GPU, "xid": "31", **WARNING},
        ),
    ],
    "DriftlineGpuEccErrors": [one(f"nvidia_gpu_ecc_uncorrected{{{GPU}}}", [*flat(0, 30), *flat(1, 20)], OF_GPU)],
    "DriftlineGpuLost": [one(f"driftline_gpu_available{{{GPU}}}", [*flat(1, 10), *flat(0, 8)], OF_GPU)],
    "DriftlineGpuAgentBlind": [
        Case(
            {
                'driftline_gpu_agent_state{state="no_driver",job="gpu",instance="host:9400"}': flat(1, 30),
                'driftline_gpu_agent_state{state="running",job="gpu",instance="host:9400"}': flat(0, 30),
            },
            [{"job": "gpu", "instance": "host:9400", "state": "no_driver"}],
        ),
    ],
}

QUIET: dict[str, list[Case]] = {
    "DriftlineModelAbsent": [
        # Between two owners for some minutes.
        Case(
            {
                f'model_predictions_total{{{M},service="api",{A}}}': [*flat(5, 60), LOST],
                f'model_predictions_total{{{M},service="api",{B}}}': [*[NONE] * 63, *flat(5, 20)],
                f"driftline_leases{{{A}}}": flat(64, 83),
                CONFIGURED: flat(1, 83),
            }
        ),
        # No worker answers: another alert says that.
        Case(
            {
                f'model_predictions_total{{{M},service="api",{A}}}': [*flat(5, 60), LOST, *[NONE] * 30],
                f"driftline_leases{{{A}}}": [*flat(64, 60), LOST, *[NONE] * 30],
                CONFIGURED: flat(1, 91),
            }
        ),
        # Taken out of the configuration: at no time is it missed, and its last series go a little before that is known.
        *(
            Case(
                {
                    f'model_predictions_total{{{M},service="api",{A}}}': [*flat(5, 60), LOST, *[NONE] * minutes],
                    f"driftline_leases{{{A}}}": flat(64, 61 + minutes),
                    CONFIGURED: [*flat(1, 63), LOST, *[NONE] * (minutes - 3)],
                }
            )
            for minutes in (9, 10, 12, 16, 30)
        ),
    ],
    "DriftlineModelRequestsDropped": [
        Case(requests(rising(1200, 80), flat(0, 80)), every=20),
        Case(requests([*rising(1, 74), *flat(73, 6)], flat(0, 80)), every=20),  # three an hour are too few to say
        Case(MOVED),
    ],
    "DriftlineModelSlow": [Case(latency(90, 97, 100)), Case(latency(0, 0, 0))],
    "DriftlineModelDrift": [one(f"model_drift_score{{{M},{A}}}", flat(0.2, 40))],
    "DriftlinePredictionShift": [Case(predictions(flat(0.22, 40))), Case(predictions([0.5, 0.2] * 20))],
    "DriftlineModelVersionChanged": [
        Case(
            {
                f'model_version_info{{{M},version="3",{A}}}': flat(1, 40),
                f'model_version_info{{{M},version="4",{A}}}': flat(1, 40),
            }
        ),
        one(f'model_version_info{{{M},version="1",{A}}}', [*[NONE] * 35, *flat(1, 5)]),  # a new model is no new version
        Case(
            {
                f'model_version_info{{{M},version="3",{A}}}': [*flat(1, 37), LOST],
                f'model_version_info{{{M},version="3",{B}}}': [*[NONE] * 38, *flat(1, 3)],
            }
        ),
    ],
    "DriftlineFeatureMissing": [one(f"feature_missing_ratio{{{TEMP}}}", flat(0.05, 40))],
    "DriftlineFeatureStale": [
        Case(updated([*rising(300, 13), *flat(3600, 24)]), every=5),  # two hours old, as is promised
        Case(updated(rising(60, 90), sla=90)),  # shorter than any pane
        one(f"feature_last_updated_timestamp{{{TEMP}}}", flat(0, 90)),  # nothing was promised
        Case(  # a model that moves
            updated([*rising(60, 60), LOST], sla=1800)
            | updated([*[NONE] * 61, *rising(60, 60, start=3660)], sla=1800, worker=B)
        ),
    ],
    "DriftlineGpuMemoryNearlyFull": [Case(memory(8e9))],
    "DriftlineGpuHot": [one(f"nvidia_gpu_temperature_celsius{{{GPU}}}", [91, 80] * 10)],
    "DriftlineGpuXid": [
        one(f'nvidia_gpu_xid_errors_total{{{GPU},xid="79"}}', flat(2, 90)),
        one(f'nvidia_gpu_xid_errors_total{{{GPU},xid="79"}}', flat(0, 20)),
    ],
    "DriftlineGpuEccErrors": [one(f"nvidia_gpu_ecc_uncorrected{{{GPU}}}", flat(4, 90))],
    "DriftlineGpuLost": [one(f"driftline_gpu_available{{{GPU}}}", [*flat(1, 20), 0, 0])],
    "DriftlineGpuAgentBlind": [
        Case(
            {
                'driftline_gpu_agent_state{state="running",job="gpu",instance="host:9400"}': flat(1, 30),
                'driftline_gpu_agent_state{state="no_driver",job="gpu",instance="host:9400"}': flat(0, 30),
            }
        ),
    ],
}

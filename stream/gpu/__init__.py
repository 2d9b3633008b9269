"""The GPU agent: NVML is asked, what it says is judged, and what can be believed goes to ``/metrics`` and to ``serving``."""

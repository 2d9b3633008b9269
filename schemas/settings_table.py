"""The table of settings in ``docs/operations.md``: names, defaults and what each means, from the settings themselves.

``python -m schemas.settings_table`` writes it anew; a test fails where it is not current, or where a setting has no meaning.
"""

from __future__ import annotations

from pathlib import Path

from schemas.settings import PREFIX, Settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: written by python -m schemas.settings_table -->", "<!-- end of settings -->"

MEANINGS = {
    "kafka": "where Kafka is: `host:port`, or several with commas",
    "kafka_protocol": "how [Kafka is spoken to](#a-secured-kafka): `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`",
    "kafka_mechanism": "how the password is proved: `SCRAM-SHA-512`, `SCRAM-SHA-256` or `PLAIN`",
    "kafka_user": "Kafka's user, of a `SASL` protocol",
    "kafka_password": "its password, where there is no file; never printed",
    "kafka_password_file": "file with its password; read at a start",
    "kafka_ca": "file (PEM) of the authority that signed the brokers' certificates; empty: the system's authorities",
    "kafka_cert": "file (PEM) of this client's certificate, where brokers ask for one",
    "kafka_key": "file (PEM) of its key",
    "redis": "where Redis is: a `redis://`, `rediss://` or `unix://` URL, or [a cluster](#redis-cluster); no password is shown",
    "redis_password_file": "file with the password of the URL's user, where the URL has none; read at a start",
    "redis_ca": "file (PEM) of the authority that signed [Redis' certificate](#a-secured-redis); empty: the system's authorities",
    "redis_cert": "file (PEM) of this client's certificate, where Redis asks for one",
    "redis_key": "file (PEM) of its key",
    "environment": "name of this deployment; prefixes topics, keys and the consumer group",
    "flush_interval_s": "how often what was counted is stored",
    "flush_at_latest_s": "longest wait of a partition where [nearly every event changes a pane of its own](capacity.md#any-key)",
    "pane_memory_mib": "MiB that [open panes](capacity.md#memory-of-a-worker) may take; beyond, those stored leave memory",
    "short_run_pause_s": "pause after a small fetch, so that a trickle of events does not cost a loop each",
    "max_run_records": "most records taken from a partition at once",
    "future_skew_s": "how far an event may lie after its record's Kafka timestamp; further is refused (`future`)",
    "session_timeout_s": "silence after which Kafka gives a worker's partitions to another one",
    "instance_id": "name of this worker [across restarts](#rolling-restarts), different for each; empty: none",
    "request_timeout_s": "longest wait for one answer of Kafka or Redis; at least the session timeout",
    "start_timeout_s": "how long a starting worker waits for Kafka and Redis before it ends with exit code 1",
    "http_host": "address of `/metrics`, `/health` and `/ready`",
    "http_port": "their port; 0 takes the first free one of 8780 to 8788",
    "console_host": "address of the console page",
    "console_port": "its port",
    "gpu_agent_host": "address of the GPU agent's `/metrics`, `/health` and `/ready`",
    "gpu_agent_port": "their port",
    "webhook_host": "address at which notifications of an [Alertmanager](alertmanager.md) are taken",
    "webhook_port": "its port",
    "webhook_token_file": "file with the bearer token that they need; read at each request",
    "webhook_token": "the token itself, where there is no file; never printed",
    "webhook_repeat_s": "`repeat_interval` of the route that sends here: what fires and is not said again is stale after three",
    "pane_keep_days": "days after its last write until a block of panes leaves Redis",
    "run_ahead_s": "event time a partition may be ahead of the slowest before it is paused; 0 never pauses",
    "idle_after_s": "quiet time after which a partition that is read to its end holds no watermark back",
    "dead_letter_payload_bytes": "how much of a refused record is kept",
    "dead_letter_unmasked": "keep the values of refused events; they may be personal data",
    "config_poll_s": "how often a worker looks for a new generation",
    "clock": "`live`, or `event` for a replay: decisions follow event time alone and only loopback receivers are told",
    "evaluate": "who evaluates: `here`, the worker; `beside`, a second process of it; `elsewhere`, `driftline evaluate`",
    "evaluate_interval_s": "how often evaluation looks for panes that are complete; by event time four times as seldom",
    "pagerduty_url": "where PagerDuty's events are sent; in a replay it must be a loopback address",
    "slack_url": "where Slack's methods are; in a replay it must be a loopback address",
    "console_url": "where messages say that the console is; empty: they carry no link",
    "runbook_url": "where messages say that the [runbooks](runbooks/README.md) are: a URL is linked, a path is said",
    "in_doubt_s": "how long a request of the incident owner before may still arrive; only then it is made again",
    "stuck_after_s": "how long a worker that has records to read may store nothing, or hang, before it ends (exit code 71)",
    "take_over_group": "count on from the state of another consumer group; only once that group has stopped for good",
    "log_level": "`DEBUG`, `INFO`, `WARNING` or `ERROR`",
}


def table() -> str:
    """The settings as a Markdown table, in their own order."""
    rows = [f"| `{PREFIX}{name.upper()}` | {_default(name)} | {MEANINGS[name]} |" for name in Settings.model_fields]
    return "\n".join(["| variable | default | means |", "|---|---|---|", *rows])


def written(document: str) -> str:
    """A document with the current table between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _default(name: str) -> str:
    """The default as it is written in a variable."""
    value = Settings.model_fields[name].default
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))

"""``driftline webhook``: takes the alerts of an Alertmanager, until told to stop."""

from __future__ import annotations

from schemas.settings import load_settings


def webhook() -> None:
    """Take notifications of Alertmanager (POST /api/v1/alertmanager) and make findings of them (Ctrl-C or SIGTERM ends it).

    It takes none without the bearer token that DRIFTLINE_WEBHOOK_TOKEN_FILE or DRIFTLINE_WEBHOOK_TOKEN holds.
    DRIFTLINE_WEBHOOK_HOST and DRIFTLINE_WEBHOOK_PORT say where it listens: 127.0.0.1:8791 unless told otherwise. It needs no
    Redis; while Kafka is away Alertmanager is told to send again.
    """
    from stream.webhook.run import run  # the web server, which no other command should wait for

    run(load_settings())

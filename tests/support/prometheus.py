"""A real Prometheus beside what it scrapes, and pages of text for it to scrape."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.support.process import Process, free_port

EVERY_S = 0.5


class Prometheus:
    """One on a port of its own, in a folder of its own; ``jobs`` are the addresses (host:port) that each job scrapes."""

    def __init__(self, folder: Path, jobs: Mapping[str, Sequence[str]], *, rules: Sequence[Path] = ()) -> None:
        self.port = free_port()
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_configured(jobs, rules)))
        self._process = Process(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            log=folder / "prometheus.log",
        )
        self._process.wait_until(self._ready, timeout_s=20)

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The series that an instant query has now, each with ``metric`` (labels) and ``value`` (time, text).

        :raises AssertionError: Prometheus does not take it.
        """
        asked = urllib.parse.urlencode({"query": promql})
        found = self._read(f"/api/v1/query?{asked}")
        assert found["resultType"] == "vector"
        series: list[dict[str, Any]] = found["result"]
        return series

    def firing(self) -> list[dict[str, Any]]:
        """The alerts that fire."""
        return [alert for alert in self._read("/api/v1/alerts")["alerts"] if alert["state"] == "firing"]

    def stop(self) -> None:
        """End it."""
        self._process.stop(timeout_s=5)

    def _ready(self) -> bool:
        """It listens before it can be asked."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def _read(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{path}: {refused.read().decode()}") from None


@contextmanager
def exposing(text: str | Callable[[], str]) -> Iterator[str]:
    """A server on loopback that answers every request with this exposition (or what it is then); its host:port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((text if isinstance(text, str) else text()).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _configured(jobs: Mapping[str, Sequence[str]], rules: Sequence[Path]) -> dict[str, Any]:
    every = f"{EVERY_S * 1000:.0f}ms"
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(targets)}]} for job, targets in jobs.items()
        ],
    }

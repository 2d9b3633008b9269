"""``driftline scrape`` as a process beside a server whose page a test may change."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.exporter import LLAMA
from tests.support.process import Process
from tests.support.worker import Deployment


@dataclass(slots=True)
class Exporter:
    """A server whose page may be changed; ``asked`` counts how often it was read since."""

    url: str
    body: bytes
    asked: int = 0

    def show(self, body: bytes) -> None:
        self.body, self.asked = body, 0


@contextmanager
def exporter(body: bytes) -> Iterator[Exporter]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, made.asked = made.body, made.asked + 1
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Exporter(f"http://127.0.0.1:{server.server_port}/metrics", body)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def scraping(deployment: Deployment, folder: Path, *, url: str, options: Sequence[str] = ()) -> Iterator[Process]:
    file = folder / "targets.yaml"
    file.write_text(
        f"targets:\n  - {{url: '{url}', kind: vllm, every: 1s, models: {{{LLAMA}: chat}}}}\n"
        "  - {url: 'http://127.0.0.1:1/metrics', kind: triton, every: 1s}\n"
    )
    command = [sys.executable, "-m", "stream.command.main", "scrape", str(file), *options]
    process = Process(command, log=folder / "scrape.log", env=deployment.variables)
    yield process
    assert process.stop(timeout_s=10) == 0, process.last_lines()

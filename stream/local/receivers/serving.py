"""The HTTP side of a recording receiver: a server in threads on a free port of the loopback, its faults and its record."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Generic, TypeVar

from stream.local.receivers.exchange import Answer, Fault, Received, Request, Vendor

V = TypeVar("V", bound=Vendor)
LONGEST_BODY = 4 << 20


class Recording(Generic[V]):
    """A running receiver: where it is, what it got, and what to get wrong next."""

    def __init__(self, vendor: V, *, file: Path | None, clock: Callable[[], float]) -> None:
        self.vendor, self.url = vendor, ""
        self.received: list[Received] = []
        self._faults: deque[Fault] = deque()
        self._file, self._clock = file, clock
        self._lock, self._closing = threading.Lock(), threading.Event()

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """The next requests go wrong: the faults in order, ``times`` over."""
        with self._lock:
            self._faults.extend(faults * times)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def handle(self, request: Request) -> Answer | None:
        """The answer, None where the connection is to be closed without one."""
        with self._lock:
            fault = self._faults.popleft() if self._faults else None
            answer = None if fault and not fault.applied else self.vendor.answer(request, self._clock())
            self._record(request, fault.answer if fault else answer, fault=fault)
        if fault and fault.hang_s:
            self._closing.wait(fault.hang_s)
        return fault.answer if fault else answer

    def close(self) -> None:
        """Let hanging requests go."""
        self._closing.set()

    def _record(self, request: Request, answer: Answer | None, *, fault: Fault | None) -> None:
        method, body = self.vendor.described(request)
        status, said = (answer.status, json.dumps(answer.body)) if answer else (0, "")
        found = Received(int(time.time() * 1000), method, body, status, said, fault is not None)
        self.received.append(found)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")


@contextlib.contextmanager
def recording(
    vendor: V, *, folder: Path | None = None, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> Iterator[Recording[V]]:
    """The vendor behind a running server; its record in ``folder/NAME.jsonl`` too, one request a line."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    found = Recording(vendor, file=None if folder is None else folder / f"{vendor.name}.jsonl", clock=clock)
    server = _Server(("127.0.0.1", port), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=vendor.name, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.close()
        server.shutdown()
        server.server_close()
        thread.join()


def recorded(folder: Path, name: str) -> list[dict[str, Any]]:
    """What a receiver wrote down, from any process; nothing where there is no record."""
    file = folder / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler(found: Recording[V]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LONGEST_BODY:
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = found.handle(Request(self.path, headers, self.rfile.read(length)))
            if answer is not None:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """The record says it."""

    return Handler

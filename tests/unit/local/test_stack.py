"""Where the demo's console listens."""

from __future__ import annotations

import socket

from stream.local.stack import CONSOLE_PORT, console_port


def test_a_console_that_runs_already_does_not_keep_the_demo_from_its_own() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", CONSOLE_PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is the case in question
        found = console_port()
    assert found != CONSOLE_PORT
    with socket.socket() as free:
        free.bind(("127.0.0.1", found))

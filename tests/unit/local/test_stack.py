"""Where the demo's console listens."""

from __future__ import annotations

import contextlib
import socket

from stream.expose.http import listening_socket
from stream.local.stack import CONSOLE_PORT, console_port


def test_a_console_that_runs_already_does_not_keep_the_demo_from_its_own() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody else has it, which is the case in question
            taken.bind(("127.0.0.1", CONSOLE_PORT))
            taken.listen()
        with console_port() as found:
            assert found != CONSOLE_PORT


def test_two_demos_that_start_together_have_a_port_each_and_their_consoles_listen() -> None:
    with console_port() as one, console_port() as other:
        assert one != other
        for port in (one, other):
            with listening_socket("127.0.0.1", port) as listening:
                assert listening.getsockname()[1] == port

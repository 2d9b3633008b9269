"""A reader who types a document's commands into one terminal, and reads again where a worker may need a moment."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.documents import Step, missing
from tests.support.process import Process

COMMAND_S = 60.0
#: What only looks, and so may be asked again: a worker that has never seen a topic finds it within half a minute.
LOOKS = (
    "redis-cli",
    *(
        f"driftline {command}"
        for command in ("lag", "status", "counts", "dlq", "incident ls", "incident show", "silence ls", "tail")
    ),
)


@dataclass(slots=True)
class Reader:
    """Keeps folder, variables, last exit code and background processes from command to command.

    ``names`` are texts of the documents and what stands for them here, such as addresses.
    """

    folder: Path
    variables: dict[str, str]
    names: dict[str, str]
    code: int = 0
    children: list[Process] = field(default_factory=list)

    def do(self, step: Step) -> str | None:
        """Run a command; what is wrong with it, or None. An exit code is judged by the next command (``echo $?``)."""
        if step.command.endswith("&"):
            return self._started(step)
        until = time.monotonic() + (COMMAND_S if step.command.startswith(LOOKS) else 0.0)
        while True:
            printed = self._run(step.command)
            lacking = missing(step.shown, printed)
            if lacking is None or time.monotonic() > until:
                break
            time.sleep(0.5)
        return None if lacking is None else f"{step}\nis said to print\n{lacking}\nand printed\n{printed}"

    def stop(self) -> None:
        """End what was started in the background."""
        for child in self.children:
            child.stop()

    def _run(self, command: str) -> str:
        state = self.folder / ".state"
        script = f'(exit {self.code})\n{self._here(command)}\ncode=$?\n{{ pwd; env -0; }} > "{state}"\nexit $code'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._place,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
        )
        self.code = done.returncode
        if state.exists():
            place, _, variables = state.read_text().partition("\n")
            pairs = (pair.split("=", 1) for pair in variables.split("\0") if "=" in pair)
            self.variables = dict(pairs) | {"PWD": place}
            state.unlink()
        return self._there(done.stdout + done.stderr)

    def _started(self, step: Step) -> str | None:
        log = self.folder / f"background-{len(self.children)}.log"
        script = f'cd "{self._place}"; exec {self._here(step.command.removesuffix("&"))}'
        child = Process(["bash", "-c", script], log=log, env=self.variables)
        self.children.append(child)
        child.wait_until(lambda: missing(step.shown, self._there(log.read_text())) is None, timeout_s=COMMAND_S)
        return None

    @property
    def _place(self) -> str:
        return self.variables.get("PWD", os.fspath(self.folder))

    def _here(self, text: str) -> str:
        for said, here in self.names.items():
            text = text.replace(said, here)
        return text

    def _there(self, text: str) -> str:
        for said, here in self.names.items():
            text = text.replace(here, said)
        return text

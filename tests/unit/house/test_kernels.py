"""Whatever kernel Python calls is called before a worker takes partitions: none is compiled on the event loop."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

from tests.support.source import PACKAGES, Source, parse, sources

#: What has machine code once everything is warm, in a process that has done nothing else.
PROGRAM = """
import json
from stream.compiled.jit import KERNELS
from stream.ingest.warm import warm
warm()
print(json.dumps([kernel.function.__name__ for kernel in KERNELS if kernel.signatures]))
"""


def test_every_kernel_that_python_calls_is_warmed() -> None:
    known = {name for source in sources("stream") for name in kernels(source)}
    called = {name for source in sources(*PACKAGES) for name in called_from_python(source, known)}
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert called - set(json.loads(found)) == set()


def test_kernels_lie_in_the_folders_that_name_what_is_kept_and_have_names_of_their_own() -> None:
    found = [(source.path, name) for source in sources(*PACKAGES) for name in kernels(source)]
    assert [path for path, _ in found if "/compiled/" not in path] == []
    assert len({name for _, name in found}) == len(found)


def test_a_call_is_seen_in_python_and_not_in_a_kernel() -> None:
    text = "@compiled\ndef one(): pass\n@compiled\ndef two():\n    one()\ndef face():\n    two()\n"
    source = parse("stream/compiled/a.py", text=text)
    assert kernels(source) == {"one", "two"}
    assert called_from_python(source, {"one", "two"}) == {"two"}


def kernels(source: Source) -> set[str]:
    """Functions that are compiled."""
    return {function.name for function in source.functions() if _is_compiled(function)}


def called_from_python(source: Source, known: set[str]) -> set[str]:
    """Those of these kernels that functions which are not compiled, or nobody's lines, name."""
    inside = {node for function in source.functions() if _is_compiled(function) for node in ast.walk(function)}
    named = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node not in inside}
    return named & known & _here(source)


def _here(source: Source) -> set[str]:
    """Names that are kernels' in this file: its own, and those that it imports from folders of kernels."""
    return kernels(source) | {name.split(".")[-1] for _, name in source.imports() if ".compiled." in name}


def _is_compiled(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id in {"compiled", "inlined", "uncounted"} for one in function.decorator_list
    )

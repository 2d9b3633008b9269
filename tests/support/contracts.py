"""What a source takes for granted of a package's private names, looked for in that package as it is installed."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any


def told(who: str, what: str) -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("faust-streaming", "aiokafka", "mode-streaming")
    )
    return f"{what}. With {versions} that is not so: compare the new source with stream, {who}, before upgrading"


def parameters(function: Callable[..., Any]) -> str:
    return ", ".join(inspect.signature(function).parameters)


def touched(text: str, overridden_of: Iterable[type]) -> set[str]:
    """Private attributes in a source that it does not define itself, and methods of ``overridden_of`` that it overrides."""
    tree = ast.parse(text)
    own = _assigned(tree) | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any(hasattr(owner, node.name) for owner in overridden_of)
    }
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    overridden = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in found | overridden if re.match("_[a-z]", name)} - own


def _assigned(tree: ast.AST) -> set[str]:
    """What is given a type: an attribute of its own, or of its class."""
    targets = [node.target for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    return {target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "") for target in targets}

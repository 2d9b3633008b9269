"""Columns on which conventions are compared with the packages they are named for: the published one, and hard ones."""

from __future__ import annotations

from typing import Any

import numpy as np

REFERENCE = ((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10
CURRENT = ((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5


def cases(seed: int = 5) -> dict[str, dict[str, Any]]:
    """Every case by its name: kind, reference and current."""
    return {**_numeric(np.random.default_rng(seed)), **_names(np.random.default_rng(seed + 1))}


def _numeric(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    normal = rng.standard_normal
    columns = {
        "NUMBERS": (REFERENCE, CURRENT),
        "same": (normal(800), normal(300)),
        "shifted": (normal(1500), normal(700) + 0.7),
        "few rows": (normal(12), normal(9) * 2),
        "few rows with ties": (np.array([0.0, 0.0, 1.0, 1.0, 2.0]), np.array([1.0, 1.0, 3.0])),
        "two rows": (np.array([0.0, 1.0]), np.array([0.5, 3.0])),
        "one row": (np.array([0.0]), np.array([0.5])),
        "whole numbers": (rng.poisson(4, 900).astype(float), rng.poisson(5, 400).astype(float)),
        "many whole numbers": (rng.poisson(90, 900).astype(float), rng.poisson(93, 400).astype(float)),
        "zero or one": (rng.integers(0, 2, 500).astype(float), (rng.random(300) < 0.7).astype(float)),
        "mostly zero": (rng.poisson(0.2, 600) * normal(600) ** 2, rng.poisson(0.3, 500) * normal(500) ** 2),
        "heavy tail": (np.exp(2 * normal(700)), np.exp(2 * normal(500) + 0.5)),
        "outside": (rng.random(600), rng.random(400) + 0.8),
        "apart": (rng.random(200), rng.random(200) + 5.0),
        "constant": (np.full(60, 3.0), np.full(40, 3.0)),
        "constant moved": (np.full(60, 3.0), np.full(40, 4.0)),
        "constant before": (np.full(60, 3.0), normal(50)),
        "constant now": (normal(50), np.full(60, 0.25)),
        "far from zero": (normal(500) + 1e6, normal(400) + 1e6),
        "small": (normal(500) * 1e-9, normal(400) * 2e-9),
        "longer than ten thousand": (normal(12_000), normal(3_000) * 1.2 + 0.05),
        "twenty thousand in steps": (np.round(normal(20_000), 1), np.round(normal(11_000) + 0.1, 1)),
    }
    return {
        name: {"kind": "numeric", "reference": then.tolist(), "current": now.tolist()}
        for name, (then, now) in columns.items()
    }


def _names(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    letters = np.array([f"k{at:03}" for at in range(200)])
    zipf = 1.0 / np.arange(1, 201)
    zipf /= zipf.sum()
    columns = {
        "NUMBERS names": (
            ["a"] * 700 + ["b"] * 250 + ["c"] * 49 + ["d"],
            ["a"] * 330 + ["b"] * 140 + ["c"] * 20 + ["e"] * 10,
        ),
        "two names": (rng.choice(["no", "yes"], 400).tolist(), rng.choice(["no", "yes"], 300, p=[0.4, 0.6]).tolist()),
        "two names few rows": (["no", "yes", "no"], ["yes", "yes"]),
        "one name": (["a"] * 20, ["a"] * 30),
        "one name each": (["a"] * 20, ["b"] * 30),
        "all new": (["a", "b"] * 20, ["c", "d", "e"] * 10),
        "gone": (["a", "b", "c"] * 20, ["a", "b"] * 25),
        "three names": (
            rng.choice(list("abc"), 500).tolist(),
            rng.choice(list("abc"), 1000, p=[0.5, 0.3, 0.2]).tolist(),
        ),
        "two hundred names": (
            rng.choice(letters, 3000, p=zipf).tolist(),
            rng.choice(letters, 1200, p=zipf[::-1]).tolist(),
        ),
        "rare names": (["a"] * 12_000 + ["b"], ["a"] * 8_000 + ["c"] * 2),
    }
    return {name: {"kind": "categorical", "reference": then, "current": now} for name, (then, now) in columns.items()}

"""A reference of a file that does not fit in memory, under a limit that the system enforces."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from detectors.profile import build_reference, panes_of

HOUR = 3_600_000
START = 1_357_034_400_000
ROWS, COLUMNS = 300_000, 12
ALLOWED = 24 << 20
"""Beside what a file of a thousand rows has needed; the rows are 31 MB as numbers, 71 MB as CSV."""

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from stream.command import csv_batches
from stream.command.reference_file import Build, Parts, reference_of

folder, small, large, allowed = Path(sys.argv[1]), *map(Path, sys.argv[2:4]), int(sys.argv[4])
rows = int(sys.argv[5])
csv_batches.BLOCK = 1 << 17  # Arrow reads 32 of them ahead
build = Build("m", 3_600_000, folder)
reference_of(small, Parts(time="at"), build)  # what does not depend on the rows is loaded now
used = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + allowed, used + allowed))
try:
    np.ones(rows * 13)
except MemoryError:
    print(reference_of(large, Parts(time="at"), build).hash)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not enforce a limit of memory")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_larger_than_memory(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(1)
    numbers = {f"x{number}": random.normal(size=ROWS) for number in range(COLUMNS)}
    at = START + random.integers(0, 400 * HOUR, size=ROWS)
    table = pa.table({"at": at} | numbers)
    small, large = tmp_path / f"small.{kind}", tmp_path / f"large.{kind}"
    for part, file in ((table[:1000], small), (table, large)):
        if kind == "csv":
            csv.write_csv(part, file)
        else:
            parquet.write_table(part, file, row_group_size=5_000)
    assert large.stat().st_size > {"csv": 2.8, "parquet": 1.2}[kind] * ALLOWED

    # The allocators and threads are told to take what they need and no more, so that the limit measures what is used.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "ARROW_IO_THREADS": "1"}
    script = [sys.executable, "-c", LIMITED, tmp_path, small, large, ALLOWED, ROWS]
    found = subprocess.run(list(map(str, script)), env=environment, capture_output=True, text=True, check=False)
    assert (found.stderr, found.stdout.strip()) == (
        "",
        build_reference("m", numbers, panes=panes_of(at, pane_ms=HOUR)).hash,
    )

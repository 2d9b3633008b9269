"""What kernels of this room are made by: ``stream/compiled/jit.py``, as the transport has kernels, too."""

from __future__ import annotations

from stream.compiled.jit import compiled as compiled
from stream.compiled.jit import inlined as inlined
from stream.compiled.jit import uncounted as uncounted

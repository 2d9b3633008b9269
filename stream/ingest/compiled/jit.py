"""Where kernels of this room find ``compiled``: it is ``stream/compiled/jit.py``'s, as the transport has kernels too."""

from __future__ import annotations

from stream.compiled.jit import compiled as compiled

"""Whether the data itself is sound: what is missing, out of range, never seen, stale, stuck or twice there."""

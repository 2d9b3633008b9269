"""Whether the data of a window is sound."""

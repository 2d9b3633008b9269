"""Releases: whether a new version of a model is healthy enough to go on, health window by health window."""

"""Serving against the feature store: what a model was given beside what the store says, window by window."""

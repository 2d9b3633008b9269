"""Experiments: a champion and a challenger compared by their additive counts, once or at every look."""

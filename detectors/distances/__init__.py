"""Distances between two samples, from counts or from rows: formulas alone; which bins and which smoothing is a convention's."""

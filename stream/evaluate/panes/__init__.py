"""Panes, tiers and windows: which there are, when they are complete, and what is counted of them."""

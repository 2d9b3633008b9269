"""Closing panes: what a model carries from one to the next, in the order of event time."""

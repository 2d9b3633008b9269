"""Charts of panes: what is remembered from pane to pane, and what it says."""

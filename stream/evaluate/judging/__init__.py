"""From a pane or a window to its report and its verdicts."""

"""The drift test that holds its level: calibrated from the reference's own panes, on counts."""

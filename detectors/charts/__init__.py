"""Charts of pane scores: what they are standardised by, when they alarm, and when what they saw began."""

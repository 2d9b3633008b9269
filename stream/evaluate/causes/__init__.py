"""What may have happened to a column that drifts."""

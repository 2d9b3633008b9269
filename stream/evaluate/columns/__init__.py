"""What is watched of a model: its columns, their rules, and what a window holds of each."""

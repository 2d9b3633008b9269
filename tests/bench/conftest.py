"""What of the bench is no module of this project: programs that run in a peer's environment, beside their own files."""

collect_ignore = ["peers/run_quix.py"]

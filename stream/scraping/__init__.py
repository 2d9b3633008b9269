"""Reads the Prometheus expositions of serving exporters and publishes what they grew by to the topic ``serving``."""

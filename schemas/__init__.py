"""The contracts: events, references, monitors, settings and names.  Plain data; nothing here does I/O on a network."""

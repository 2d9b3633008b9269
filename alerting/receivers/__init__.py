"""Receivers: what carries a call to a vendor, and nothing else; they decide neither whether nor when."""

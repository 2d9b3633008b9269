"""Messages: an incident as each vendor shows it, cut to the vendor's limits and escaped.  Pure."""

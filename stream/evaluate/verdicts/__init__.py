"""From what a rule says to a finding: how bad it is, whether it is news, since when."""

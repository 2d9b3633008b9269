"""How long a control chart runs until it alarms, by integral equation, and charts designed for a run length."""

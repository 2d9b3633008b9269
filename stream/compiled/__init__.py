"""What every record costs before it is an event, compiled; and how kernels of all rooms are compiled."""

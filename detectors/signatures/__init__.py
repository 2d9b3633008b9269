"""What may have happened to a column: a unit, a shift, a clip, a default, lost rows; or nothing that can be named."""

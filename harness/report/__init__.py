"""Reports of a run: for people (`text`) and for programs (`document`)."""

"""Tables of readings, read back: as arrays and data frames, and summed up over many recordings."""

"""From openness to what lips do: smoothing, movement, events, intervals, a person's own range."""

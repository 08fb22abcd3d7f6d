"""Events as lines of JSON, and as intervals in the formats of other programs."""

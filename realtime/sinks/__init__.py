"""Where analyses are written or shown: tables, videos, intervals, event lines, the window."""

"""Sinks, which write or show analyses: tables, videos, intervals, event lines, the window."""

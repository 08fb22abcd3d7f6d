"""Measure an openness network on labelled faces: which faces, their readings, figures with intervals, JSON and page."""

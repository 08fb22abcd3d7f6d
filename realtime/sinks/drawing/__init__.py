"""Faces drawn into pictures: the overlay and its themes."""

"""Annotated video files, with their sound."""

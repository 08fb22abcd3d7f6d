"""Threads, programs, signals: the places that make them."""

"""Threads, prefetching, child programs and signals: the only places that create or handle them."""

"""The window: what it shows, its keys and notices, and the pictures saved from it."""

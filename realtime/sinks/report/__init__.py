"""A recording as a page: its curves, events and numbers, with the video at the cursor."""

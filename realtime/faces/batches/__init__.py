"""Find and read the faces of many frames at once, as a GPU works best."""

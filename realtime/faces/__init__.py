"""Find the faces of each frame and follow them: one id for one face."""

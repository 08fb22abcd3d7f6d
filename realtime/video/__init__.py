"""Sources of frames: video files, pictures, cameras, streams."""

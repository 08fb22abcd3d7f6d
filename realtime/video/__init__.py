"""Where frames come from: files, pictures, cameras, streams."""

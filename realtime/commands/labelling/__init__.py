"""What ``mouth-live label`` shows and saves: candidate faces, the window, the table."""

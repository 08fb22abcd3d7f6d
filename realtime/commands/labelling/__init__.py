"""The parts of ``mouth-live label``: candidate faces, the window, the table."""

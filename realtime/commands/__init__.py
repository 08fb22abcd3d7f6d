"""The command line: one module for each command, and what only the command line needs."""

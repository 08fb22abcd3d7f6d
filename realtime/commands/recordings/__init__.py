"""The work of ``mouth-live process``: jobs, processes that run in parallel, and a network that they share."""

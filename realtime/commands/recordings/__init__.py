"""What ``mouth-live process`` does with many recordings: jobs, processes side by side, a network shared by them."""

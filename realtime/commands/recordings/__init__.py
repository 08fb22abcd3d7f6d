"""The work on recordings: what is to be made, by whom, and a manifest beside each product that says from what."""

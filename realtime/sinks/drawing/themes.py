"""The names of the overlay's themes. Importing them loads nothing else."""

from typing import Literal, get_args

Theme = Literal["standard", "minimal", "broadcast", "debug"]
THEMES: tuple[Theme, ...] = get_args(Theme)
DEFAULT_THEME: Theme = "standard"

"""A rectangle of a picture in whole pixels."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a picture in whole pixels, top-left origin; it may reach over the picture's edges."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Return the column after the last one."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Return the row after the last one."""
        return self.top + self.height

    def overlap(self, other: Self) -> int:
        """Return the number of pixels that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, width) * max(0, height)

    def moved_into(self, width: int, height: int) -> "Rectangle":
        """Return the rectangle moved into a picture of this size; at the top left where it is larger than that."""
        left, top = max(0, min(self.left, width - self.width)), max(0, min(self.top, height - self.height))
        return Rectangle(left, top, self.width, self.height)

"""Rectangles of a picture, and how one is cut into others."""

from typing import NamedTuple

__all__ = ["Box", "even_tile_size"]


def even_tile_size(length: int, tile: int, multiple: int = 1) -> int:
    """The side of tiles that share a length evenly: slivers would be mostly padding."""
    count = -(-length // max(multiple, tile // multiple * multiple))
    return -(-length // count // multiple) * multiple


class Box(NamedTuple):
    """A rectangle in LR pixels; bottom and right lie outside."""

    top: int
    left: int
    bottom: int
    right: int

    def split(self, height: int, width: int, multiple: int = 1) -> "list[Box]":
        """Boxes of at most such a size, much alike, that cover this one row by row."""
        tall = even_tile_size(self.bottom - self.top, height, multiple)
        wide = even_tile_size(self.right - self.left, width, multiple)
        return [
            Box(y, x, min(y + tall, self.bottom), min(x + wide, self.right))
            for y in range(self.top, self.bottom, tall)
            for x in range(self.left, self.right, wide)
        ]

    def around(self, padding: int, within: "Box", multiple: int = 1) -> "Box":
        """This box with its padding, as far as the other one goes; begins at a multiple."""
        return Box(
            max(within.top, self.top - padding) // multiple * multiple,
            max(within.left, self.left - padding) // multiple * multiple,
            min(within.bottom, self.bottom + padding),
            min(within.right, self.right + padding),
        )

    def of(self, outer: "Box", scale: int = 1) -> tuple[slice, slice]:
        """Where this box lies in an array that shows the outer one, so many times larger."""
        return (
            slice(scale * (self.top - outer.top), scale * (self.bottom - outer.top)),
            slice(scale * (self.left - outer.left), scale * (self.right - outer.left)),
        )

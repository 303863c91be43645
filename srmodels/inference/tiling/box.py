"""Rectangles of a picture."""

from typing import NamedTuple

__all__ = ["Box", "even_tile_size"]


def even_tile_size(length: int, tile: int, multiple: int = 1) -> int:
    """The tile side, at most `tile`, that divides a length evenly and is a multiple."""
    count = -(-length // max(multiple, tile // multiple * multiple))
    return -(-length // count // multiple) * multiple


class Box(NamedTuple):
    """A rectangle in LR pixels; bottom and right are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    def split(self, height: int, width: int, multiple: int = 1) -> "list[Box]":
        """Boxes of at most this size, nearly equal, in row-major order."""
        tall = even_tile_size(self.bottom - self.top, height, multiple)
        wide = even_tile_size(self.right - self.left, width, multiple)
        return [
            Box(y, x, min(y + tall, self.bottom), min(x + wide, self.right))
            for y in range(self.top, self.bottom, tall)
            for x in range(self.left, self.right, wide)
        ]

    def pad(self, padding: int, bounds: "Box", multiple: int = 1) -> "Box":
        """This box with padding, cut at the bounds; top and left are rounded down to a multiple."""
        return Box(
            max(bounds.top, self.top - padding) // multiple * multiple,
            max(bounds.left, self.left - padding) // multiple * multiple,
            min(bounds.bottom, self.bottom + padding),
            min(bounds.right, self.right + padding),
        )

    def slices(self, outer: "Box", scale: int = 1) -> tuple[slice, slice]:
        """Rows and columns of this box in an array of the outer box, enlarged by `scale`."""
        return (
            slice(scale * (self.top - outer.top), scale * (self.bottom - outer.top)),
            slice(scale * (self.left - outer.left), scale * (self.right - outer.left)),
        )

"""Colour behind transparency: what lies under clear pixels must not show at their edges."""

from scipy import ndimage

from srmodels.data.layers import Values

__all__ = ["bled"]


def bled(colour: Values, alpha: Values) -> Values:
    """Gives every clear pixel the colour of the nearest one that is not.

    Programs write black, white or anything there. A network, or any kernel, would mix it into the
    pixels beside it, and an outline of that colour would appear.

    Args:
        colour: (H, W, C).
        alpha: (H, W), 0 clear.

    Returns:
        Colour of the same kind; as it was where nothing or everything is clear.
    """
    clear = alpha == 0
    if not clear.any() or clear.all():
        return colour
    rows, columns = ndimage.distance_transform_edt(
        clear, return_distances=False, return_indices=True
    )
    made: Values = colour[rows, columns]
    return made

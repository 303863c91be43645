"""The output formats and what each can hold."""

from dataclasses import dataclass
from pathlib import Path

from srmodels.errors import ConfigError, PhotoError

__all__ = ["FORMATS", "Format", "format_named", "format_of"]

_MAX_IN_MEMORY = 2**28  # pixels


@dataclass(frozen=True, slots=True)
class Format:
    """An output format and what it holds."""

    name: str  # as on the command line
    suffixes: tuple[str, ...]  # the usual one first
    by_rows: bool = False  # written row by row, so memory does not limit the size
    has_16bit: bool = False
    alpha: bool = True
    grey: bool = True  # whether files of one channel are written, with a profile for grey
    max_side: int = 2**31 - 1  # pixels

    def keeps_profile(self, channels: int, alpha: bool) -> bool:
        """Whether a picture of 1 or 3 colour channels keeps its colour profile."""
        return channels == 3 or self.by_rows or (self.grey and not alpha)

    def check(self, name: str, height: int, width: int) -> None:
        """Raises PhotoError if a result of this size, in pixels, cannot be written."""
        if max(height, width) > self.max_side:
            limit = f"has at most {self.max_side} pixels a side"
        elif not self.by_rows and height * width > _MAX_IN_MEMORY:
            limit = f"is put together in memory, from at most {_MAX_IN_MEMORY} pixels"
        else:
            return
        raise PhotoError(
            f"{name}: the result is too large for {self.name}, which {limit} "
            f"(got {width}x{height}). Write .png or .tif, or set --max-side."
        )


FORMATS = (
    Format("png", (".png",), by_rows=True, has_16bit=True),
    Format("tiff", (".tif", ".tiff"), by_rows=True, has_16bit=True),
    # libjpeg's own limit (JPEG_MAX_DIMENSION); the format's is 65,535
    Format("jpeg", (".jpg", ".jpeg"), alpha=False, max_side=65500),
    Format("webp", (".webp",), grey=False, max_side=16383),
    # what readers accept: level 6.2 of HEVC, libavif by default
    Format("heic", (".heic", ".heif"), grey=False, max_side=16384),
    Format("avif", (".avif",), grey=False, max_side=32768),
)


def format_named(name: str, *, where: str = "--format") -> Format:
    """The format of a name or a suffix ("jpeg", "jpg", ".jpg"); raises ConfigError at `where`."""
    for kind in FORMATS:
        if f".{name.lower().removeprefix('.')}" in (f".{kind.name}", *kind.suffixes):
            return kind
    known = ", ".join(suffix for kind in FORMATS for suffix in kind.suffixes)
    raise ConfigError(f"{where}: unknown image format (got {name!r}). Use one of {known}.")


def format_of(path: Path) -> Format:
    """The format of a file's suffix; raises ConfigError for a suffix that is not written."""
    return format_named(path.suffix, where=str(path))

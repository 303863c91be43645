"""The kinds of files a result can be written to, and what each can hold."""

from dataclasses import dataclass
from pathlib import Path

from srmodels.errors import ConfigError, PhotoError

__all__ = ["FORMATS", "Format", "format_named", "format_of"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        name: As on the command line.
        suffixes: The endings of its names, the usual one first.
        by_rows: Written while the picture is made, so that its size is not bound by memory.
        deep: Holds 16 bits a channel.
        alpha: Holds transparency.
        grey: Holds pictures without colour as such.
        most_side: The largest height and width.
    """

    name: str
    suffixes: tuple[str, ...]
    by_rows: bool = False
    deep: bool = False
    alpha: bool = True
    grey: bool = True
    most_side: int = 2**31 - 1

    def check(self, name: str, height: int, width: int) -> None:
        """Refuses a result before it is computed.

        Raises:
            PhotoError: It is too large for this kind of file.
        """
        if max(height, width) > self.most_side:
            right = f"has at most {self.most_side} pixels a side"
        elif not self.by_rows and height * width > _MOST_WHOLE:
            right = f"is put together in memory, from at most {_MOST_WHOLE} pixels"
        else:
            return
        raise PhotoError(
            f"{name}: its result is too large for {self.name} (found {width}x{height}), which "
            f"{right}; write .png or .tif, or set --max-side"
        )


_MOST_WHOLE = 2**28
FORMATS = (
    Format("png", (".png",), by_rows=True, deep=True),
    Format("tiff", (".tif", ".tiff"), by_rows=True, deep=True),
    # libjpeg's own limit (JPEG_MAX_DIMENSION); the format's is 65,535
    Format("jpeg", (".jpg", ".jpeg"), alpha=False, most_side=65500),
    Format("webp", (".webp",), grey=False, most_side=16383),
    # what readers take: level 6.2 of HEVC, libavif without being told
    Format("heic", (".heic", ".heif"), most_side=16384),
    Format("avif", (".avif",), most_side=32768),
)


def format_of(path: Path) -> Format:
    """The format of a file's ending.

    Raises:
        ConfigError: It is none that is written.
    """
    for each in FORMATS:
        if path.suffix.lower() in each.suffixes:
            return each
    known = ", ".join(suffix for each in FORMATS for suffix in each.suffixes)
    raise ConfigError(f"{path}: unknown kind of picture; one of {known} is right")


def format_named(name: str) -> Format:
    """The format of a name or an ending, such as "jpeg", "jpg" or ".jpg".

    Raises:
        ConfigError: It is none that is written.
    """
    for each in FORMATS:
        if name.lower().removeprefix(".") in (each.name, *(end[1:] for end in each.suffixes)):
            return each
    known = ", ".join(each.name for each in FORMATS)
    raise ConfigError(
        f"--format: unknown kind of picture (found {name!r}); one of {known} is right"
    )

"""Which files are photographs and which reader opens them, by content first, then by name."""

from pathlib import Path
from typing import Literal

__all__ = ["RAW", "SUFFIXES", "Reader", "detect_reader", "is_photo"]

Reader = Literal["raw", "heif", "bitmap"]

# The RAW formats of LibRaw. Many are TIFF inside, so the suffix decides.
RAW = frozenset(
    {
        *(".3fr", ".ari", ".arw", ".bay", ".cap", ".cine", ".cr2", ".cr3", ".crw", ".cs1"),
        *(".dc2", ".dcr", ".dcs", ".dng", ".drf", ".eip", ".erf", ".fff", ".gpr", ".iiq"),
        *(".k25", ".kc2", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".obm"),
        *(".orf", ".ori", ".pef", ".ptx", ".pxn", ".qtk", ".r3d", ".raf", ".raw", ".rdc"),
        *(".rw2", ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".sti", ".x3f"),
    }
)
# The usual suffixes by format; another suffix is noted.
SUFFIXES: dict[str, frozenset[str]] = {
    "AVIF": frozenset({".avif", ".avifs"}),
    "BMP": frozenset({".bmp", ".dib"}),
    "GIF": frozenset({".gif"}),
    "HEIF": frozenset({".heic", ".heif", ".heics", ".heifs", ".hif"}),
    "JPEG": frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}),
    "JPEG2000": frozenset({".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc"}),
    "PNG": frozenset({".png", ".apng"}),
    "PPM": frozenset({".ppm", ".pgm", ".pnm", ".pbm"}),
    "RAW": RAW,
    "TIFF": frozenset({".tif", ".tiff"}),
    "WEBP": frozenset({".webp"}),
}
_PHOTO_SUFFIXES = frozenset().union(*SUFFIXES.values())

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_RAW_MAGIC = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")
_BITMAP_MAGIC = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"P5", b"P6"),
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
)


def _by_content(head: bytes) -> Reader | None:
    """The reader, or None if the first bytes do not decide (TIFF, for one)."""
    if head[4:8] == b"ftyp":
        brands = head[8 : int.from_bytes(head[:4], "big")]
        if brands[:4] == b"crx ":
            return "raw"
        if b"avif" in brands or b"avis" in brands:
            return "bitmap"  # Pillow decodes AVIF, pillow-heif no longer does
        return "heif" if brands[:4] in _HEIF_BRANDS else None
    if head.startswith(_RAW_MAGIC) or head[6:14] == b"HEAPCCDR":
        return "raw"
    if head.startswith(_BITMAP_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "bitmap"
    return None


def detect_reader(head: bytes, suffix: str) -> Reader:
    """Chooses the reader by a file's first 64 bytes, or else by its suffix (with its dot)."""
    return _by_content(head) or ("raw" if suffix.lower() in RAW else "bitmap")


def is_photo(path: Path) -> bool:
    """Whether the suffix or else the content is a photograph's."""
    if path.suffix.lower() in _PHOTO_SUFFIXES:
        return True
    with path.open("rb") as file:
        return _by_content(file.read(64)) is not None

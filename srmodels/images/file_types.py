"""Which files are photographs, by name or content, and their format, by content alone."""

from pathlib import Path
from typing import BinaryIO, Literal

from srmodels.images.readers.boxes import primary_item
from srmodels.images.readers.tiff.directories import is_raw, is_tiff

__all__ = ["RAW", "SUFFIXES", "Kind", "detect_kind", "is_photo"]

Kind = Literal[
    "AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "PNG", "PPM", "RAW", "TIFF", "WEBP"
]
_HEAD = 256  # bytes; a list of brands may be long

# The RAW formats of LibRaw.
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
SUFFIXES: dict[Kind, frozenset[str]] = {
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


# HEVC still images and sequences, and what else may hold them (ISO/IEC 23008-12; tmap: 21496-1)
_HEIF_BRANDS = {
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"tmap", b"MiHE"),
}
_CODECS: dict[bytes, Kind] = {b"av01": "AVIF", b"hvc1": "HEIF", b"hev1": "HEIF"}
_AVIF_BRANDS = {b"avif", b"avis"}
# of LibRaw's makers; those whose files are TIFF inside are told by their directories
_RAW_MAGIC = (
    *(b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM", b"ARRI"),
    *(b"NOKIARAW", b"DSC-Image", b"qktk", b"qktn", b"PXN", b"CI,\0"),
)
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    *((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"BM", "BMP"), (b"GIF8", "GIF")),
    *((b"P5", "PPM"), (b"P6", "PPM")),
    *((b"\0\0\0\x0cjP  ", "JPEG2000"), (b"\xff\x4f\xff\x51", "JPEG2000")),
)
_PLAIN_NETPBM = (b"P1", b"P2", b"P3", b"P4")  # too short to tell a picture from a text by


def _by_content(head: bytes) -> Kind | None:
    """The format, or None if the first bytes do not decide."""
    if head[4:8] == b"ftyp":
        end = int.from_bytes(head[:4], "big")
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(end, len(head)), 4))]
        if brands[0] == b"crx ":
            return "RAW"
        if _AVIF_BRANDS & set(brands):
            return "AVIF"
        return "HEIF" if _HEIF_BRANDS & set(brands) else None
    if head.startswith(_RAW_MAGIC) or head[6:14] == b"HEAPCCDR" or head[4:8] in (b"RED1", b"REDV"):
        return "RAW"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def detect_kind(file: BinaryIO) -> Kind | None:
    """The format of an open file, by its content; None for what is no picture that is read."""
    file.seek(0)
    head = file.read(_HEAD)
    if is_tiff(head):
        return "RAW" if is_raw(file) else "TIFF"
    kind = _by_content(head)
    if kind in ("AVIF", "HEIF"):  # brands are promises; the primary image's codec decides
        return _CODECS.get(primary_item(file).codec, kind)
    if kind is None and head[:2] in _PLAIN_NETPBM and head[2:3].isspace():
        return "PPM"
    return kind


def is_photo(path: Path) -> bool:
    """Whether the suffix or else the content is a photograph's."""
    if path.suffix.lower() in _PHOTO_SUFFIXES:
        return True
    with path.open("rb") as file:
        return _by_content(file.read(_HEAD)) is not None

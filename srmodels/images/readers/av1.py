"""The colours that an AV1 sequence header gives (AV1 specification, sections 5.5 and 6.4.2)."""

__all__ = ["cicp_of_av1"]

_SEQUENCE_HEADER = 1
_CONFIG = 4  # bytes of av1C before its units


class _Bits:
    """Reads numbers from the highest bit on; raises ValueError beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def __call__(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("an AV1 sequence header ends early")
        return self._value >> self._left & ((1 << count) - 1)


def _sequence_header(config: bytes) -> bytes:
    """The first one's content; raises IndexError beyond the end."""
    at = _CONFIG
    while at < len(config):
        head = config[at]
        at += 2 if head & 4 else 1
        size, shift = (0, 0) if head & 2 else (len(config) - at, -1)
        while shift >= 0:  # seven bits a byte
            size |= (config[at] & 127) << shift
            shift = shift + 7 if config[at] & 128 else -1
            at += 1
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            return config[at : at + size]
        at += size
    return b""


def _skip_operating_points(bits: _Bits) -> None:
    has_model, delay = 0, 0
    if bits(1):  # timing
        bits(64)
        if bits(1):
            zeros = 0
            while not bits(1):
                zeros += 1
            bits(zeros)
        has_model = bits(1)
        if has_model:
            delay = bits(5) + 1
            bits(42)
    has_display_delay = bits(1)
    for _ in range(bits(5) + 1):
        bits(12)
        if bits(5) > 7:
            bits(1)
        if has_model and bits(1):
            bits(2 * delay + 1)
        if has_display_delay and bits(1):
            bits(4)


def _skip_tools(bits: _Bits) -> None:
    bits(4)
    has_order = bits(1)
    if has_order:
        bits(2)
    screen_content = bits(1) or bits(1)
    if screen_content and not bits(1):
        bits(1)
    if has_order:
        bits(3)


def cicp_of_av1(config: bytes) -> tuple[int, int] | None:
    """Primaries and transfer characteristics (H.273) in the box av1C; None if it gives none."""
    try:
        bits = _Bits(_sequence_header(config))
        profile, _, is_reduced = bits(3), bits(1), bits(1)
        if is_reduced:
            bits(5)
        else:
            _skip_operating_points(bits)
        bits(bits(4) + bits(4) + 2)  # width and height
        if not is_reduced and bits(1):
            bits(7)
        bits(3)
        if not is_reduced:
            _skip_tools(bits)
        bits(3)
        if bits(1) and profile == 2:  # more than 8 bits
            bits(1)
        if profile != 1:  # grey
            bits(1)
        return (bits(8), bits(8)) if bits(1) else None
    except (IndexError, ValueError):
        return None

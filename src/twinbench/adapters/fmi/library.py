"""Whether a file is a shared library this machine can map, told from its ELF headers.

Loading a cut-off library does not raise an error, it kills the process; so its length is checked first.
"""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["library_fault"]

_HEADER = struct.Struct("<4sBB10xHHIQQQIHHH")  # ELF64: magic, class, order, type, machine, ..., offset of segments, ...
_SEGMENT = struct.Struct("<IIQQQQ")  # type, flags, offset, virtual and physical address, bytes in the file
_CLASS_64, _LITTLE_ENDIAN, _SHARED, _X86_64 = 2, 1, 3, 62


def library_fault(path: Path) -> str:
    """What is wrong with a shared library for 64-bit Linux on x86; nothing if it can be mapped."""
    content = path.read_bytes()
    if len(content) < _HEADER.size or not content.startswith(b"\x7fELF"):
        return "is no Linux library"
    _, class_, order, type_, machine, *_, segments, _, _, _, size, count = _HEADER.unpack_from(content)
    if (class_, order, type_, machine) != (_CLASS_64, _LITTLE_ENDIAN, _SHARED, _X86_64):
        return "is not for 64-bit Linux on x86"
    ends = [segments + size * count]
    if size >= _SEGMENT.size and ends[0] <= len(content):
        headers = (_SEGMENT.unpack_from(content, segments + size * number) for number in range(count))
        ends += [offset + length for _, _, offset, _, _, length in headers]
    if max(ends) > len(content):
        return f"is cut off: {len(content)} bytes of {max(ends)}"
    return ""

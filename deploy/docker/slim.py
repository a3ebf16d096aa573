"""Takes the debug symbols out of native libraries while the image is built: ``python slim.py FOLDER``.

Some wheels carry them, and they are most of such a file (uvloop: 10 of 14 MB). A library is loaded by its
program headers alone; what lies behind the last byte of theirs is sections for debuggers and linkers, and the
table that lists these. Both are cut off, which needs no tools in the base image.
"""

import struct
import sys
from pathlib import Path

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian: amd64 and arm64
HEADER_SIZE = 64
PROGRAM_HEADERS = struct.Struct("<Q")  # e_phoff, at 32
SECTION_HEADERS = struct.Struct("<Q")  # e_shoff, at 40
COUNTS = struct.Struct("<HHHHH")  # e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx, at 54
EXTENT = struct.Struct("<8xQ16xQ")  # of a program header: p_offset, p_filesz


def slim(content: bytes) -> bytes:
    """``content`` without what no program header names; other files as they are."""
    if not content.startswith(MAGIC):
        return content
    (start,) = PROGRAM_HEADERS.unpack_from(content, 32)
    size, number, section_size, _, _ = COUNTS.unpack_from(content, 54)
    end = max(HEADER_SIZE, start + size * number)
    for position in range(start, start + size * number, size):
        offset, length = EXTENT.unpack_from(content, position)
        end = max(end, offset + length)
    kept = bytearray(content[:end])
    SECTION_HEADERS.pack_into(kept, 40, 0)
    COUNTS.pack_into(kept, 54, size, number, section_size, 0, 0)
    return bytes(kept)


def main(folder: Path) -> None:
    """Make every library below ``folder`` smaller, and say by how much."""
    saved = 0
    for file in sorted(folder.rglob("*.so*")):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            kept = slim(content)
            saved += len(content) - len(kept)
            file.write_bytes(kept)
    sys.stderr.write(f"slim: {saved / 1e6:.1f} MB of symbols taken out\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

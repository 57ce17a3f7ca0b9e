"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.base.errors import UserError
from core.base.text import text


def write_atomically(path: Path, data: bytes, what: str = "the file") -> None:
    """Write ``data`` to ``path``, as `atomic_open` does."""
    with atomic_open(path, what) as file:
        file.write(data)


@contextmanager
def atomic_open(path: Path, what: str = "the file") -> Iterator[IO[bytes]]:
    """A file to write to that becomes ``path`` at the end: a temporary one beside it, flushed to
    the disk, then put in place of the old one, which survives anything that goes wrong before.

    Raises UserError, naming ``path`` and ``what`` it should have held, where that is not possible.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            text(
                "{path}: {what} cannot be written ({reason})", path=path, what=what, reason=reason
            ),
            text("Choose another place, or make room"),
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def umask() -> int:
    """That of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

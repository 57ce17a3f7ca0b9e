"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.base.errors import UserError
from core.base.text import Text, text

_FILE = text("the file")


def write_atomically(path: Path, data: bytes, what: Text = _FILE) -> None:
    """Write ``data`` to ``path``, as `atomic_open` does."""
    with atomic_open(path, what) as file:
        file.write(data)


@contextmanager
def atomic_open(path: Path, what: Text = _FILE) -> Generator[IO[bytes]]:
    """Yield a file to write to, which replaces ``path`` at the end.

    It is a temporary file beside ``path``, flushed to the disk before it is renamed, so that the
    old file survives any failure.

    Args:
        path: the file to replace.
        what: what it holds, for the error.

    Raises:
        UserError: where the file cannot be written.
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
            text("Choose another folder, or free some disk space"),
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def umask() -> int:
    """Return the file mode creation mask of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

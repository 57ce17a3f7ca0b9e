"""Files that Gradina writes into the user's folders.

Gradina never replaces or removes a file that it did not write. A marker file in each folder of
results lists the files written there, with checksums: a file counts as written by Gradina only
while its content is unchanged. Files that belong together appear together: they are written under
temporary names first, so that an interrupted write leaves the old files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from core.base.atomic_file import umask, write_atomically
from core.base.errors import UserError
from core.base.text import Text, text

MARKER = ".gradina.json"
RESULTS_FOLDER = "gradina"
"""Name of the folder of results inside a folder that holds the input."""
_LINK_PREFIX = "link:"

_ANOTHER_FOLDER = text("Choose another folder")


class ForeignFileError(UserError):
    """A file would be replaced that Gradina did not write.

    Args:
        path: the file.
        remedy: what to do about it.
    """

    def __init__(self, path: Path, remedy: Text = _ANOTHER_FOLDER) -> None:
        super().__init__(
            text("{path} exists already, and Gradina did not write it", path=path), remedy
        )
        self.path = path


class _Marker(msgspec.Struct):
    """Content of a marker file."""

    written_by: str = "Gradina; lists the files here that it may replace"
    files: dict[str, list[str]] = {}
    """fingerprints of each file, newest first, by its relative path with slashes"""


class Outputs:
    """Files below ``root`` that become visible together when the ``with`` block ends well.

    Args:
        root: the folder of results, whose marker lists them.
        force: whether files that Gradina did not write may be replaced too.

    Raises:
        ForeignFileError: from `temporary`, `open_file`, `write` and `link`, at once, where the file
            exists and Gradina did not write it.
        UserError: where a file cannot be written, or lies outside ``root``.
    """

    def __init__(self, root: Path, *, force: bool = False) -> None:
        self._root, self._force = Path(root), force
        self._marker = _read_marker(self._root)
        self._waiting: dict[Path, Path] = {}
        self._stale: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with _os_errors_as_user_errors(self._root):
                    self._commit()
        finally:
            for temporary in self._waiting.values():
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def require_free(self, paths: Iterable[Path]) -> None:
        """Check that Gradina may write all of ``paths``.

        Raises:
            ForeignFileError: where a file exists that Gradina did not write.
            UserError: where one is a folder.
        """
        for path in paths:
            self._name(path)
            if path.is_dir() and not path.is_symlink():
                raise UserError(text("{path} is a folder", path=path), text("Choose another name"))
            if os.path.lexists(path) and not (self._force or self._wrote(path)):
                raise ForeignFileError(path)

    def temporary(self, path: Path) -> Path:
        """Return an empty file beside ``path``, of the same suffix, that replaces it at the end."""
        self.require_free([path])
        with _os_errors_as_user_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._require_inside(path)
            descriptor, name = tempfile.mkstemp(path.suffix, ".gradina-", path.parent)
            os.close(descriptor)
        self._waiting[path] = Path(name)
        return Path(name)

    @contextmanager
    def open_file(self, path: Path) -> Generator[IO[bytes]]:
        """Yield a file to write to, which replaces ``path`` at the end."""
        temporary = self.temporary(path)
        with _os_errors_as_user_errors(path), temporary.open("wb") as file:
            yield file

    def write(self, path: Path, data: bytes) -> None:
        """Write ``data`` to ``path``, which is replaced at the end."""
        with self.open_file(path) as file:
            file.write(data)

    def link(self, source: Path, path: Path) -> None:
        """Make ``path`` a link to ``source`` at the end, or a copy where links do not exist."""
        if path.exists() and path.samefile(source) and not self._wrote(path):
            return  # the input itself, or the user's own link to it
        temporary = self.temporary(path)
        with _os_errors_as_user_errors(path):
            temporary.unlink()
            try:
                temporary.symlink_to(source.resolve())
            except OSError:  # Windows without the privilege, or a file system without links
                shutil.copy2(source, temporary)

    def remove_stale(self, pattern: str) -> None:
        """Remove at the end the files of an earlier run that are not written again.

        Args:
            pattern: of their paths below the root, as in `fnmatch`. Files that were changed since
                stay.
        """
        kept = {self._name(path) for path in self._waiting}
        self._stale += [
            name for name in self._marker.files if fnmatch(name, pattern) and name not in kept
        ]

    def _commit(self) -> None:
        files = {
            name: prints
            for name, prints in self._marker.files.items()
            if os.path.lexists(self._root / name)
        }
        for path, temporary in self._waiting.items():
            if not temporary.is_symlink():
                _finish(temporary)
            name = self._name(path)
            # The old fingerprint stays valid: the program may end before the file is replaced.
            files[name] = [_fingerprint(temporary), *files.get(name, [])[:1]]
        stale = [name for name in self._stale if self._wrote(self._root / name)]
        _write_marker(self._root, files)
        for path, temporary in self._waiting.items():
            with _os_errors_as_user_errors(path):
                os.replace(temporary, path)
        for name in stale:
            (self._root / name).unlink(missing_ok=True)

    def _wrote(self, path: Path) -> bool:
        return _is_unchanged(path, self._marker.files.get(self._name(path), []))

    def _name(self, path: Path) -> str:
        try:
            return path.relative_to(self._root).as_posix()
        except ValueError as error:
            raise UserError(
                text("{path} is outside of {folder}", path=path, folder=self._root)
            ) from error

    def _require_inside(self, path: Path) -> None:
        """Check that no folder between the root and ``path`` is a link to somewhere else."""
        if not path.parent.resolve().is_relative_to(self._root.resolve()):
            raise UserError(
                text(
                    "{folder} is a link to {target}",
                    folder=path.parent,
                    target=path.parent.resolve(),
                ),
                _ANOTHER_FOLDER,
            )


def write_output(path: Path, data: bytes, root: Path | None = None) -> None:
    """Write one file below ``root`` (None: its own folder), as `Outputs` does."""
    with Outputs(root or path.parent) as outputs:
        outputs.write(path, data)


def check_writable(root: Path, paths: Iterable[Path]) -> None:
    """Create the folder ``root`` and check that ``paths`` below it can be written.

    Raises:
        UserError: where one cannot be written; now rather than after hours of work.
    """
    probe = root / f"{MARKER}.probe"
    write_atomically(probe, b"", text("the result"))
    probe.unlink()
    Outputs(root).require_free(paths)


def mark_results_folder(folder: Path) -> None:
    """Mark ``folder`` as a folder of results.

    Raises:
        UserError: where the marker cannot be written.
    """
    if not is_results_folder(folder):
        _write_marker(folder, {})


def is_results_folder(folder: Path) -> bool:
    """Whether ``folder`` is marked as a folder of results."""
    return (folder / MARKER).is_file()


def is_output(path: Path, top: Path) -> bool:
    """Whether Gradina wrote ``path``, by the markers up to ``top``, and it is unchanged."""
    for folder in path.parents:
        prints = _read_marker(folder).files.get(path.relative_to(folder).as_posix())
        if prints is not None and _is_unchanged(path, prints):
            return True
        if folder == top:
            return False
    return False


def without_outputs(paths: Iterable[Path], top: Path) -> list[Path]:
    """Return ``paths`` below ``top`` without those that Gradina wrote.

    Where it wrote all of them, returns all, so that rendered images can be opened as photos.
    """
    paths = list(paths)
    return [path for path in paths if not is_output(path, top)] or paths


def choose_results_folder(out: Path, source: Path) -> Path:
    """Return the folder for the results of ``source`` when the user asked for ``out``.

    That is ``out``, or a new folder in it where ``out`` contains or is in the input and is not a
    folder of results already.

    Raises:
        UserError: where ``out`` is the input itself.
    """
    wanted, taken = out.resolve(), source.resolve()
    if taken.is_file():
        if is_output(taken, taken.parent):
            return out
        taken = taken.parent
    if wanted == taken:
        raise UserError(
            text("{folder} holds the input itself", folder=out),
            text("Choose another folder, such as {folder}", folder=out / RESULTS_FOLDER),
        )
    overlaps = wanted in taken.parents or taken in wanted.parents
    is_new = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    return out / RESULTS_FOLDER if overlaps and not is_new and not is_results_folder(out) else out


def other_folder_notice(asked: Path, out: Path) -> Text:
    """Return the notice that `choose_results_folder` chose ``out`` instead of ``asked``."""
    return text(
        "{asked} belongs to the input; the results are in {folder}", asked=asked, folder=out
    )


def _read_marker(folder: Path) -> _Marker:
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=_Marker)
    except (OSError, msgspec.DecodeError):
        return _Marker()


def _write_marker(folder: Path, files: dict[str, list[str]]) -> None:
    data = msgspec.json.format(msgspec.json.encode(_Marker(files=files)), indent=1)
    write_atomically(folder / MARKER, data, text("the list of results"))


def _finish(file: Path) -> None:
    """Give a temporary file the usual permissions, and flush it to the disk."""
    os.chmod(file, 0o666 & ~umask())
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _is_unchanged(path: Path, prints: list[str]) -> bool:
    try:
        return bool(prints) and _fingerprint(path) in prints
    except OSError:
        return False


def _fingerprint(path: Path) -> str:
    """Return a fingerprint of the content of a file, or of the target of a link."""
    if path.is_symlink():
        return _LINK_PREFIX + os.readlink(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _os_errors_as_user_errors(path: Path) -> Generator[None]:
    """Raise OSError as a UserError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise UserError(
            text("{path} cannot be written ({reason})", path=path, reason=error.strerror or error),
            text("Choose another folder, or free some disk space"),
        ) from error

"""Files that Gradina writes among a person's own.

What Gradina did not write, it never replaces or removes. A marker file in each folder of results
lists what was written there, with checksums: a file counts as Gradina's own only while its content
is still what was written. Files that belong together appear together: they are written under
temporary names first, so that an interrupted write leaves what was there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from core.base.atomic_file import umask, write_atomically
from core.base.errors import UserError
from core.base.text import Text, text

MARKER = ".gradina.json"
OWN_FOLDER = "gradina"
"""Name of the folder for results inside of a folder that holds the input itself."""
_LINK = "link:"


_ELSEWHERE = text("Choose another place")


class ForeignFileError(UserError):
    """``path`` would be replaced, and Gradina did not write it."""

    def __init__(self, path: Path, remedy: Text = _ELSEWHERE) -> None:
        super().__init__(
            text("{path} is there already, and Gradina did not write it", path=path), remedy
        )
        self.path = path


class _Marker(msgspec.Struct):
    """What Gradina wrote into a folder: the fingerprints of each file, newest first, by its path
    below that folder, with slashes."""

    written_by: str = "Gradina; tells which of the files here it may replace"
    files: dict[str, list[str]] = {}


class Outputs:
    """Files below ``root`` that become visible together when the ``with`` block ends well.

    Args:
        root: the folder of results, whose marker lists them.
        force: files that Gradina did not write may be replaced too.

    Raises:
        ForeignFileError: from `temporary`, `open`, `write` and `link`, at once, where the file
            exists and Gradina did not write it.
        UserError: where something cannot be written, or lies outside of ``root``.
    """

    def __init__(self, root: Path, *, force: bool = False) -> None:
        self._root, self._force = Path(root), force
        self._marker = _read_marker(self._root)
        self._waiting: dict[Path, Path] = {}
        self._stale: list[str] = []

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with _explained(self._root):
                    self._commit()
        finally:
            for temporary in self._waiting.values():
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def require_free(self, paths: Iterable[Path]) -> None:
        """Raise ForeignFileError unless Gradina may write all of ``paths``."""
        for path in paths:
            self._name(path)
            if path.is_dir() and not path.is_symlink():
                raise UserError(text("{path} is a folder", path=path), text("Choose another name"))
            if os.path.lexists(path) and not (self._force or self._wrote(path)):
                raise ForeignFileError(path)

    def temporary(self, path: Path) -> Path:
        """An empty file beside ``path``, of the same suffix, that becomes ``path`` at the end."""
        self.require_free([path])
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._require_inside(path)
            descriptor, name = tempfile.mkstemp(path.suffix, ".gradina-", path.parent)
            os.close(descriptor)
        self._waiting[path] = Path(name)
        return Path(name)

    @contextmanager
    def open(self, path: Path) -> Iterator[IO[bytes]]:
        """A file to write to, which becomes ``path`` at the end."""
        temporary = self.temporary(path)
        with _explained(path), temporary.open("wb") as file:
            yield file

    def write(self, path: Path, data: bytes) -> None:
        """``path`` holds ``data`` at the end."""
        with self.open(path) as file:
            file.write(data)

    def link(self, source: Path, path: Path) -> None:
        """``path`` is a link to ``source`` at the end, a copy where there are no links."""
        if path.exists() and path.samefile(source) and not self._wrote(path):
            return  # the input itself, or a person's own link to it
        temporary = self.temporary(path)
        with _explained(path):
            temporary.unlink()
            try:
                temporary.symlink_to(source.resolve())
            except OSError:  # Windows without the privilege, or a file system without links
                shutil.copy2(source, temporary)

    def drop_others(self, pattern: str) -> None:
        """At the end remove what an earlier run wrote under names like ``pattern`` (as `fnmatch`
        has it, below the root), unless it is written anew or was changed since."""
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
            with _explained(path):
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
                text("{path} lies outside of {root}", path=path, root=self._root)
            ) from error

    def _require_inside(self, path: Path) -> None:
        """A folder below the root may be a link to somewhere else."""
        if not path.parent.resolve().is_relative_to(self._root.resolve()):
            raise UserError(
                text(
                    "{parent} is a link to {parent2}",
                    parent=path.parent,
                    parent2=path.parent.resolve(),
                ),
                text("Choose another place"),
            )


def write_output(path: Path, data: bytes, root: Path | None = None) -> None:
    """Write one file of ``root`` (None: its folder), as `Outputs` does."""
    with Outputs(root or path.parent) as outputs:
        outputs.write(path, data)


def check_writable(root: Path, paths: Iterable[Path]) -> None:
    """Make the folder ``root`` and raise UserError where ``paths`` below it could not be written,
    now rather than after hours of work."""
    probe = root / f"{MARKER}.probe"
    write_atomically(probe, b"", "the result")
    probe.unlink()
    Outputs(root).require_free(paths)


def mark(folder: Path) -> None:
    """Make ``folder`` one of results, whatever is written there later. Raises UserError."""
    if not is_marked(folder):
        _write_marker(folder, {})


def is_marked(folder: Path) -> bool:
    """Whether ``folder`` is one of results."""
    return (folder / MARKER).is_file()


def is_output(path: Path, top: Path) -> bool:
    """Whether Gradina wrote ``path``, as far as markers in its folder and above it, up to ``top``,
    tell, and nobody has changed it since."""
    for folder in path.parents:
        prints = _read_marker(folder).files.get(path.relative_to(folder).as_posix())
        if prints is not None and _is_unchanged(path, prints):
            return True
        if folder == top:
            return False
    return False


def without_outputs(paths: Iterable[Path], top: Path) -> list[Path]:
    """``paths`` below ``top`` but for those that Gradina wrote; all of them where it wrote all, so
    that what it rendered can be opened."""
    paths = list(paths)
    return [path for path in paths if not is_output(path, top)] or paths


def results_folder(out: Path, source: Path) -> Path:
    """Where the results of ``source`` go when a person asks for ``out``: a folder of their own
    inside of it where ``out`` holds or lies in the input and is not a folder of results already.
    Raises UserError where it is the input itself."""
    wanted, taken = out.resolve(), source.resolve()
    if taken.is_file():
        if is_output(taken, taken.parent):
            return out
        taken = taken.parent
    if wanted == taken:
        raise UserError(
            text("{out} holds the input itself", out=out),
            text("Choose another folder, such as {out}", out=out / OWN_FOLDER),
        )
    overlaps = wanted in taken.parents or taken in wanted.parents
    is_new = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    return out / OWN_FOLDER if overlaps and not is_new and not is_marked(out) else out


def moved_notice(asked: Path, out: Path) -> Text:
    """What to say where `results_folder` chose ``out`` in place of what was ``asked`` for."""
    return text("{asked} belongs to the input; the results are in {out}", asked=asked, out=out)


def _read_marker(folder: Path) -> _Marker:
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=_Marker)
    except (OSError, msgspec.DecodeError):
        return _Marker()


def _write_marker(folder: Path, files: dict[str, list[str]]) -> None:
    data = msgspec.json.format(msgspec.json.encode(_Marker(files=files)), indent=1)
    write_atomically(folder / MARKER, data, "the list of results")


def _finish(file: Path) -> None:
    """Give a temporary file the usual permissions, and make sure that it is on the disk."""
    os.chmod(file, 0o666 & ~umask())
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _is_unchanged(path: Path, prints: list[str]) -> bool:
    try:
        return bool(prints) and _fingerprint(path) in prints
    except OSError:
        return False


def _fingerprint(path: Path) -> str:
    """Of the content of a file, or of where a link leads."""
    if path.is_symlink():
        return _LINK + os.readlink(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise an OSError as a UserError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise UserError(
            text("{path} cannot be written ({value})", path=path, value=error.strerror or error),
            text("Choose another place, or make room"),
        ) from error

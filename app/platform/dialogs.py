"""The desktop's own file dialog, run beside the window; Dear PyGui's where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr

DialogPurpose = Literal["folder", "file", "save"]
InputKind = Literal["folder", "video", "project", "prompt"]
"""What a person may look for to open."""


OWN_TAG = "own_file_dialog"
ANY_SUFFIX = ".*"
"""Files of all kinds."""


class FileDialogs:
    """One dialog at a time. `poll` once per frame hands the choice on."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._then: Callable[[str], None] | None = None

    def show_dialog(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Show a dialog; ``then`` gets the path unless the person cancels. ``start`` is the path
        or folder to begin at."""
        if self._process is not None:
            return
        start = os.path.expanduser(start)
        command = _desktop_command(purpose, start)
        if command is None:
            _show_own_dialog(purpose, start, then)
            return
        self._then = then
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @property
    def is_open(self) -> bool:
        return self._process is not None

    def poll(self) -> None:
        """Hand on the choice when the dialog has closed."""
        if self._process is None or self._process.poll() is None:
            return
        output, _ = self._process.communicate()
        self._process = None
        path = output.rstrip("\r\n")
        if path and self._then is not None:
            self._then(path)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _desktop_command(purpose: DialogPurpose, start: str) -> list[str] | None:
    if sys.platform == "darwin":
        return ["osascript", "-e", _APPLE[purpose]]
    if sys.platform == "win32":
        return ["powershell", "-NoProfile", "-STA", "-Command", _WINDOWS[purpose]]
    title = tr(f"file_dialog.{purpose}")
    if shutil.which("zenity"):
        options = {"folder": ["--directory"], "file": [], "save": ["--save", "--confirm-overwrite"]}
        return [
            "zenity",
            "--file-selection",
            f"--title={title}",
            f"--filename={start}",
            *options[purpose],
        ]
    if shutil.which("kdialog"):
        verb = {
            "folder": "--getexistingdirectory",
            "file": "--getopenfilename",
            "save": "--getsavefilename",
        }
        return ["kdialog", "--title", title, verb[purpose], start or "."]
    return None


_APPLE: dict[DialogPurpose, str] = {
    "folder": "POSIX path of (choose folder)",
    "file": "POSIX path of (choose file)",
    "save": "POSIX path of (choose file name)",
}


def _windows(kind: str, result: str) -> str:
    return (
        "Add-Type -AssemblyName System.Windows.Forms; "
        f"$d = New-Object System.Windows.Forms.{kind}; "
        f"if ($d.ShowDialog() -eq 'OK') {{ [Console]::Out.Write($d.{result}) }}"
    )


_WINDOWS: dict[DialogPurpose, str] = {
    "folder": _windows("FolderBrowserDialog", "SelectedPath"),
    "file": _windows("OpenFileDialog", "FileName"),
    "save": _windows("SaveFileDialog", "FileName"),
}


def is_own_dialog_shown() -> bool:
    """Whether Dear PyGui's dialog is on screen."""
    return dpg.does_item_exist(OWN_TAG) and dpg.is_item_shown(OWN_TAG)


def _show_own_dialog(purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
    for tag in (OWN_TAG, f"{OWN_TAG}_keys"):
        if dpg.does_item_exist(tag):
            dpg.delete_item(tag)

    def chosen(_sender: object, data: dict[str, str]) -> None:
        then(
            data["file_path_name"].removesuffix(ANY_SUFFIX)
        )  # Dear PyGui adds the filter to a new name

    def accept() -> None:
        if is_own_dialog_shown():
            chosen(OWN_TAG, dpg.get_file_dialog_info(OWN_TAG))
            dpg.configure_item(OWN_TAG, show=False)

    folder = Path(start or ".")
    with dpg.file_dialog(
        tag=OWN_TAG,
        directory_selector=purpose == "folder",
        callback=chosen,
        modal=True,
        default_path=str(folder if folder.is_dir() else folder.parent),
        width=px(720),
        height=px(460),
        default_filename=folder.name if purpose == "save" else "",
        label=tr(f"file_dialog.{purpose}"),
    ):
        if purpose != "folder":
            dpg.add_file_extension(ANY_SUFFIX)
    with dpg.handler_registry(tag=f"{OWN_TAG}_keys"):
        for key in (dpg.mvKey_Return, dpg.mvKey_NumPadEnter):
            dpg.add_key_press_handler(key, callback=accept)
        dpg.add_key_press_handler(
            dpg.mvKey_Escape, callback=lambda: dpg.configure_item(OWN_TAG, show=False)
        )

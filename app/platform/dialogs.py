"""The desktop's own file dialog, run beside the window; Dear PyGui's where there is none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from app.platform.desktop import dialog_command
from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr

DialogPurpose = Literal["folder", "file", "save"]
InputKind = Literal["folder", "video", "project", "prompt"]
"""What can be chosen to open."""


OWN_TAG = "own_file_dialog"
ANY_SUFFIX = ".*"
"""Dear PyGui's filter for all files."""


class FileDialogs:
    """Shows one file dialog at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._then: Callable[[str], None] | None = None

    def show_dialog(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Show a dialog.

        Args:
            purpose: What is chosen.
            start: File or folder to begin at.
            then: Gets the path unless the dialog is cancelled.
        """
        if self._process is not None:
            return
        start = os.path.expanduser(start)
        command = dialog_command(purpose, tr(f"file_dialog.{purpose}"), start)
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
        """Whether the desktop's dialog is shown."""
        return self._process is not None

    def poll(self) -> None:
        """Hand on the path when the dialog has closed; once per frame."""
        if self._process is None or self._process.poll() is None:
            return
        output, _ = self._process.communicate()
        self._process = None
        path = output.rstrip("\r\n")
        if path and self._then is not None:
            self._then(path)

    def close(self) -> None:
        """End the dialog."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def is_own_dialog_shown() -> bool:
    """Whether Dear PyGui's dialog is shown."""
    return dpg.does_item_exist(OWN_TAG) and dpg.is_item_shown(OWN_TAG)


def _show_own_dialog(purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
    for tag in (OWN_TAG, f"{OWN_TAG}_keys"):
        if dpg.does_item_exist(tag):
            dpg.delete_item(tag)

    def chosen(_sender: object, data: dict[str, str]) -> None:
        # Dear PyGui adds the filter to a new name
        then(data["file_path_name"].removesuffix(ANY_SUFFIX))

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

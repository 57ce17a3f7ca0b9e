"""What the desktop of this operating system offers, from the one file that knows it."""

import sys

if sys.platform == "win32":
    from app.platform.windows import dialog_command, screen_scale, screen_size
elif sys.platform == "darwin":
    from app.platform.macos import dialog_command, screen_scale, screen_size
else:
    from app.platform.linux import dialog_command, screen_scale, screen_size

__all__ = ["dialog_command", "screen_scale", "screen_size"]

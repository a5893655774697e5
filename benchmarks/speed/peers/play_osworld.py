"""OSWorld's in-guest server as a peer of benchmarks/speed/desktop_real.py: one JSON object a line in and out.

Run under the peer's own Python. The screen, window manager and buses are started here, outside of any sandbox, as they
are in its guest; the server runs from ``FOLDER/server`` and is spoken to with the client of the wheel ``desktop-env``,
unpacked in ``FOLDER/wheel``. A step is what `DesktopEnv.step` and `_get_obs` do there: the action, a pause, a picture,
the elements.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DISPLAY, PORT = ":97", 5897


class Screen:
    """A screen with one application and the server on it."""

    def __init__(self, folder, settings, size, command, files):
        self.home = Path(tempfile.mkdtemp(prefix="osworld-"))
        shutil.copytree(settings, self.home / ".config")
        for name, content in files.items():
            (self.home / name).write_text(content)
        run = self.home / "run"
        run.mkdir(mode=0o700)
        self.env = {
            "HOME": str(self.home), "DISPLAY": DISPLAY, "XDG_RUNTIME_DIR": str(run), "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus", "XDG_SESSION_TYPE": "x11", "GDK_BACKEND": "x11",
            "GTK_MODULES": "gail:atk-bridge", "QT_ACCESSIBILITY": "1", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "QT_QPA_PLATFORM": "xcb", "GSETTINGS_BACKEND": "keyfile", "PORT": str(PORT),
            "PATH": f"{folder}/env/bin:{folder}/server/bin:/usr/bin:/bin",
        }  # fmt: skip
        self.programs = []
        self.start("Xvfb", DISPLAY, "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp", "-ac", "-noreset")
        self.start("dbus-daemon", "--session", f"--address=unix:path={run}/bus", "--nofork")
        waited(lambda: os.stat(f"/tmp/.X11-unix/X{DISPLAY[1:]}") and os.stat(run / "bus"))
        self.start("openbox", "--sm-disable")
        self.start("/usr/libexec/at-spi-bus-launcher", "--launch-immediately")
        waited(lambda: os.listdir(run / "at-spi"))
        self.start(sys.executable, str(folder / "server" / "main.py"), cwd=folder / "server")
        waited(lambda: socket.create_connection(("127.0.0.1", PORT)).close() is None)
        self.start(*command, cwd=self.home)

    def start(self, *command, cwd=None):
        """Start a program on the screen."""
        self.programs.append(
            subprocess.Popen(
                command,
                env=self.env,
                cwd=cwd or self.home,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
            )
        )

    def close(self):
        """End everything, and what was started by it."""
        for program in reversed(self.programs):
            program.send_signal(signal.SIGTERM)
        for program in self.programs:
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
        shutil.rmtree(self.home, ignore_errors=True)


def waited(found):
    """Wait until something is there."""
    until = time.monotonic() + 30
    while True:
        try:
            if found():
                return
        except OSError:
            pass
        if time.monotonic() > until:
            raise TimeoutError("it does not come up")
        time.sleep(0.01)


def main():
    """Answer ``make``, ``step`` and ``tree`` until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(options.folder / "wheel"))
    from desktop_env.controllers.python import PythonController
    from lxml import etree

    client, screen = PythonController("127.0.0.1", PORT), None
    try:
        for line in sys.stdin:
            call, told, parts = json.loads(line), {}, {}
            before = time.perf_counter()
            if call["do"] == "make":
                if screen is not None:
                    screen.close()
                screen = Screen(options.folder, options.settings, call["size"], call["command"], call["files"])
            elif call["do"] == "step":
                client.execute_python_command(call["action"])
                parts["action"] = time.perf_counter()
                time.sleep(call["pause"])
                parts["pause"] = time.perf_counter()
                picture = client.get_screenshot()
                parts["picture"] = time.perf_counter()
                tree = client.get_accessibility_tree()
                parts["tree"] = time.perf_counter()
                told["bytes"] = [len(picture), len(tree)]
            elif call["do"] == "tree":
                told["tree"] = client.get_accessibility_tree()
                told["elements"] = len(list(etree.fromstring(told["tree"]).iter())) - 1  # the desktop itself
            told["ms"] = 1e3 * (time.perf_counter() - before)
            last = before
            for name, when in parts.items():
                parts[name], last = 1e3 * (when - last), when
            print(json.dumps(told | {"parts": parts}), flush=True)
    finally:
        if screen is not None:
            screen.close()


if __name__ == "__main__":
    main()

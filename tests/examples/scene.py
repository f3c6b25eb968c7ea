# SPDX-License-Identifier: LGPL-2.1-or-later
"""The window of examples/python/window.py on a display of its own, with a server to connect to.

As a program it plays the scene of the manual's picture: scene.py PICTURE
"""

import contextlib
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "examples/python/window.py"
PATIENCE_SECONDS = 30
LIFETIME_SECONDS = 40
PAUSE_SECONDS = 9


@contextlib.contextmanager
def display():
    """An X server without a screen; gives the file that it draws to. GTK is told to draw there, and to do so alone."""
    with tempfile.TemporaryDirectory(prefix="gtls-session-window-") as home:
        reading, writing = os.pipe()
        server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1800x24", "-fbdir", home,
                                   "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        try:
            with os.fdopen(reading) as pipe:
                number = pipe.readline().strip()
            if not number:
                raise RuntimeError("Xvfb does not start")
            os.environ.update(DISPLAY=f":{number}", GDK_BACKEND="x11", GDK_SCALE="2", GSK_RENDERER="cairo",
                              GTK_A11Y="none", GSETTINGS_BACKEND="memory", DBUS_SESSION_BUS_ADDRESS="disabled:",
                              XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, LC_ALL="C.UTF-8")
            for name in ("WAYLAND_DISPLAY", "GTK_THEME", "GDK_DPI_SCALE"):
                os.environ.pop(name, None)
            yield Path(home) / "Xvfb_screen0"
        finally:
            server.kill()
            server.wait()


def read_screen(path, width, height):
    """The screen's upper left as RGB. The file is of xwd's format: a head of big-endian words, colours, lines."""
    content = path.read_bytes()
    head = struct.unpack(">25I", content[:100])
    n_line, first = head[12], head[0] + 12 * head[19]
    if (head[1], head[7], head[11]) != (7, 0, 32):
        raise RuntimeError(f"Xvfb draws in a format that is not known here: {head}")
    lines = (content[first + y * n_line:first + y * n_line + 4 * width] for y in range(height))
    rgb = bytearray(3 * width * height)
    for y, line in enumerate(lines):
        for channel in range(3):
            rgb[3 * width * y + channel:3 * width * (y + 1):3] = line[2 - channel::4]
    return bytes(rgb)


def load_program():
    """The example as a module, once there is a display."""
    specification = importlib.util.spec_from_file_location("window", PROGRAM)
    program = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(program)
    return program


class Scene:
    def __init__(self, host):
        self.program = load_program()
        self.gtk, self.glib = self.program.Gtk, self.program.GLib
        self.program.load_style()
        self.window = self.program.Window(None, host)
        self.window.present()

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        guard = self.glib.timeout_add(50, lambda: self.glib.SOURCE_CONTINUE)
        try:
            while not condition():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{what} did not come; the window shows:\n{self.read()}")
                self.glib.MainContext.default().iteration(True)
        finally:
            self.glib.source_remove(guard)

    def pause(self, seconds):
        end = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() > end, "the end of the pause")

    def widgets(self, kind, top=None):
        """Those that can be seen, in the order of the tree."""
        top = top or self.window
        found = [top] if isinstance(top, kind) and top.get_mapped() else []
        child = top.get_first_child()
        while child:
            found += self.widgets(kind, child)
            child = child.get_next_sibling()
        return found

    def texts(self, css_class, top=None):
        return [label.get_label() for label in self.widgets(self.gtk.Label, top) if label.has_css_class(css_class)]

    def read(self):
        return "\n".join(label.get_label() for label in self.widgets(self.gtk.Label))

    def press(self, words, top=None):
        """Presses the first button with these words on it."""
        button = next(button for button in self.widgets(self.gtk.Button, top) if button.get_label() == words)
        if not button.is_sensitive():
            raise RuntimeError(f"'{words}' cannot be pressed; the window shows:\n{self.read()}")
        button.emit("clicked")

    def wait_for(self, outcome, n_tickets):
        """The newest connection, which is the first one in the window, has come so far."""
        def is_there():
            rows = self.widgets(self.program.ConnectionRow)
            return rows and self.texts("outcome", rows[0]) == [outcome] and \
                len(self.widgets(self.program.TicketCard, rows[0])) == n_tickets
        self.wait_until(is_there, f"'{outcome}' with {n_tickets} tickets")
        return self.widgets(self.program.ConnectionRow)[0]

    def draw(self, screen):
        """What the window looks like, as a pixbuf. No window manager gives it the focus here; so it is told it had it."""
        self.window.remove_css_class("solid-csd")  # a frame, where nothing can draw shadows
        for widget in self.widgets(self.gtk.Widget):
            widget.unset_state_flags(self.gtk.StateFlags.BACKDROP)
        self.pause(1)
        from gi.repository import GdkPixbuf
        scale = self.window.get_scale_factor()
        width, height = scale * self.window.get_width(), scale * self.window.get_height()
        pixels = self.glib.Bytes.new(read_screen(screen, width, height))
        return GdkPixbuf.Pixbuf.new_from_bytes(pixels, GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width)


def play(server, screen):
    scene = Scene(f"localhost:{server.port}")
    scene.press("Connect")
    row = scene.wait_for("Full handshake", 2)
    scene.pause(PAUSE_SECONDS)
    scene.press("Offer", row)
    row = scene.wait_for("Resumed", 1)
    scene.pause(PAUSE_SECONDS)
    server.ask("lose-keys")
    scene.press("Offer", row)
    scene.wait_for("Refused", 2)
    return scene.draw(screen)


def main(picture):
    from support import Server
    with display() as screen, Server("--tls1.3", f"--lifetime={LIFETIME_SECONDS}") as server:
        os.environ["SSL_CERT_FILE"] = server.ca
        play(server, screen).savev(picture, "png", [], [])


if __name__ == "__main__":
    main(sys.argv[1])

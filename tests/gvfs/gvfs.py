# SPDX-License-Identifier: LGPL-2.1-or-later
"""gvfs in a session of its own: a bus, a home and a runtime directory that nobody else uses.

The packages are unpacked, not installed, because they bring services of the machine with them (./run does it). So
gvfs is told where its parts are, and the bus knows no service that it could start.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from dialogue import Dialogue
from program import Program, find_installed, find_unpacked
from tap import Failed, check

GIO_SECONDS = 60
STOP_SECONDS = 10
BUS = """<busconfig>
  <type>session</type>
  <listen>unix:dir={runtime}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
# Says where the bus is, and becomes the daemon.
START = 'echo "bus $DBUS_SESSION_BUS_ADDRESS"; exec "$0" --no-fuse'
OTHER_BACKENDS = ("libgiognutls", "libgioopenssl", "libgnutls")


def find_one(pattern):
    """A file whose path has the machine's architecture in it."""
    found = sorted(find_unpacked("usr/lib").glob(pattern))
    check(len(found) == 1, f"{pattern} names {found}")
    return found[0]


class Gvfs:
    def __init__(self, module, environment=None):
        self.daemon = find_unpacked("usr/libexec/gvfsd")
        self.backend = find_unpacked("usr/libexec/gvfsd-ftp").resolve()
        self.module = Path(module).resolve()
        self.temporary = tempfile.TemporaryDirectory(prefix="gtls-session-gvfs-")
        self.directory = Path(self.temporary.name)
        self.runtime = self.make_folder("run", mode=0o700)
        self.environment = {**os.environ, **self.locations(), **(environment or {})}
        self.program = None

    def make_folder(self, name, mode=0o755):
        folder = self.directory / name
        folder.mkdir()
        folder.chmod(mode)
        return folder

    def locations(self):
        """GIO finds the client's half of gvfs, our module, and no other: no other TLS backend is there to help."""
        modules = self.make_folder("modules")
        client = find_one("*/gio/modules/libgvfsdbus.so")
        (modules / client.name).symlink_to(client)
        home = self.make_folder("home")
        return {
            "HOME": str(home), "XDG_RUNTIME_DIR": str(self.runtime), "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache"), "LC_ALL": "C.UTF-8",
            "GIO_MODULE_DIR": str(modules), "GIO_EXTRA_MODULES": str(self.module.parent),
            "GIO_USE_TLS": "gtls-session", "GSETTINGS_BACKEND": "memory", "GVFS_DEBUG": "1",
            "GSETTINGS_SCHEMA_DIR": str(self.compile_schemas()), "GVFS_MOUNTABLE_DIR": str(self.describe_mounts()),
            "LD_LIBRARY_PATH": str(find_one("*/gvfs/libgvfscommon.so").parent),
        }

    def compile_schemas(self):
        schemas = self.make_folder("schemas")
        for schema in find_unpacked("usr/share/glib-2.0/schemas").glob("org.gnome.desktop.*.xml"):
            shutil.copy(schema, schemas)
        subprocess.run([find_installed("glib-compile-schemas"), schemas], check=True, capture_output=True)
        return schemas

    def describe_mounts(self):
        mounts = self.make_folder("mounts")
        description = find_unpacked("usr/share/gvfs/mounts/ftps.mount").read_text()
        (mounts / "ftps.mount").write_text(re.sub("^Exec=.*$", f"Exec={self.backend}", description, flags=re.M))
        return mounts

    def start(self):
        bus = self.directory / "bus.conf"
        bus.write_text(BUS.format(runtime=self.runtime))
        command = [find_installed("dbus-run-session"), f"--config-file={bus}", "--", "/bin/sh", "-c", START, self.daemon]
        self.program = Program(command, self.directory / "log", self.environment)
        told = self.program.wait_until(lambda told: re.search("^bus (.+)$", told, re.MULTILINE), "the bus")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = told.group(1)
        self.run("gdbus", "wait", "--session", "--timeout=10", "org.gtk.vfs.Daemon")

    def log(self):
        return self.program.told() if self.program else ""

    def run(self, name, *arguments):
        """What it wrote."""
        command = [find_installed(name), *map(str, arguments)]
        try:
            done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=GIO_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{' '.join(command)} did not end: {late.stdout} {late.stderr}") from None
        check(done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stdout}\n{done.stderr}")
        return done.stdout

    def talk(self, name, *arguments):
        return Dialogue([find_installed(name), *map(str, arguments)], self.environment)

    def mounts(self):
        return re.findall(r"^Mount\(\d+\): .* -> (.*)$", self.run("gio", "mount", "--list"), re.MULTILINE)

    def processes(self):
        """Every process of this session, by the environment that they inherit."""
        mark = b"XDG_RUNTIME_DIR=" + os.fsencode(self.runtime)
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)
            except OSError:  # it has ended, or is somebody else's
                pass

    def backends(self):
        return [process for process in self.processes() if os.readlink(f"/proc/{process}/exe") == str(self.backend)]

    def check_backend(self):
        """The process that speaks FTP has our module, and no other TLS backend."""
        backends = self.backends()
        check(len(backends) == 1, f"{len(backends)} processes of {self.backend}")
        mapped = Path(f"/proc/{backends[0]}/maps").read_text()
        check(str(self.module) in mapped, f"{self.module} is not in gvfsd-ftp:\n{mapped}")
        check(not any(other in mapped for other in OTHER_BACKENDS), f"another TLS backend is in gvfsd-ftp:\n{mapped}")

    def signal_processes(self, number):
        """How many there were."""
        processes = list(self.processes())
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass
        return len(processes)

    def stop(self):
        deadline = time.monotonic() + STOP_SECONDS
        while self.signal_processes(signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL):
            if self.program:
                self.program.process.poll()
            time.sleep(0.05)
        if self.program:
            self.program.stop()
        self.temporary.cleanup()


@contextmanager
def running(module, environment=None):
    gvfs = Gvfs(module, environment)
    try:
        gvfs.start()
        yield gvfs
    except Failed as failed:
        raise Failed(f"{failed}\n{gvfs.log()[-6000:]}") from None
    finally:
        gvfs.stop()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The window, on a display of its own: what it shows of a connection's life."""

import os
import signal
import sys
import traceback

from scene import Scene, display
from support import Server
from tap import check, tell_all, unwind_on_sigterm


def in_a_process_of_its_own(function):
    """The system's roots are read once in each process, and each server has another one."""
    child = os.fork()
    if child == 0:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    try:
        check(os.waitpid(child, 0)[1] == 0, "its process failed; see its stderr")
    except SystemExit:
        os.kill(child, signal.SIGTERM)
        raise


def staged(screen, story, *options):
    """Each story has a window and a server of its own."""
    def play():
        with Server(*options) as server:
            os.environ["SSL_CERT_FILE"] = server.ca
            story(Scene(f"localhost:{server.port}"), server, screen)
    return story.__name__, lambda: in_a_process_of_its_own(play)


def shows_handshake_and_tickets(scene, server, _):
    scene.press("Connect")
    row = scene.wait_for("Full handshake", 2)
    check(scene.texts("host", row) == [f"localhost:{server.port}"], f"it shows\n{scene.read()}")
    check(scene.texts("details", row)[0].startswith("TLS 1.3  ·  TLS_"), f"it shows\n{scene.read()}")
    ids = {ticket.get_id()[:8] for ticket in row.helper.list_tickets()}
    check(len(ids) == 2 and set(scene.texts("id", row)) == ids, f"{ids} are not what it shows:\n{scene.read()}")


def lives_run_down_until_they_expire(scene, _, __):
    scene.press("Connect")
    card = scene.wait_for("Full handshake", 1).cards[0]
    full, words = card.life.get_fraction(), card.left.get_label()
    scene.wait_until(lambda: card.life.get_fraction() < full and card.left.get_label() != words, "less of life")
    scene.wait_until(lambda: card.has_css_class("low"), "the colour of the last quarter")
    scene.wait_until(lambda: scene.texts("life") == ["Expired"], "the end")
    check(not card.button.is_sensitive(), "an expired ticket can be offered")


def resumed_and_refused_are_told(scene, server, _):
    scene.press("Connect")
    scene.press("Offer", scene.wait_for("Full handshake", 2))
    row = scene.wait_for("Resumed", 1)
    check("took the session ticket" in scene.texts("sentence", row)[0], f"it shows\n{scene.read()}")
    check(server.ask("stats") == "connections=2 handshakes=2 resumed=1", f"the server says {server.ask('stats')}")
    server.ask("lose-keys")
    scene.press("Offer", row)
    check("refused the session ticket" in scene.texts("sentence", scene.wait_for("Refused", 2))[0],
          f"it shows\n{scene.read()}")
    check(server.ask("stats") == "connections=3 handshakes=3 resumed=1", f"the server says {server.ask('stats')}")
    offered = [button.get_label() for button in scene.widgets(scene.gtk.Button) if not button.is_sensitive()]
    check(offered == ["Offered by 3", "Offered by 2"], f"the tickets that are spent say {offered}")


def failure_is_told(scene, _, __):
    os.environ["SSL_CERT_FILE"] = os.devnull
    scene.press("Connect")
    row = scene.wait_for("Failed", 0)
    check("certificate" in scene.texts("sentence", row)[0], f"it shows\n{scene.read()}")


def end_is_told(scene, _, __):
    scene.press("Connect")
    row = scene.wait_for("Full handshake", 2)
    row.connection.get_output_stream().write_all(b"farewell", None)
    scene.wait_until(lambda: scene.texts("details", row)[0].endswith("closed"), "the end of the connection")


def is_drawn(scene, _, screen):
    """Light, and with the colours of what it says."""
    scene.press("Connect")
    row = scene.wait_for("Full handshake", 2)
    picture = scene.draw(screen)
    pixels = picture.get_pixels()
    colours = {}
    for at in range(0, len(pixels) - 2, 3 * 7):
        colour = tuple(pixels[at:at + 3])
        colours[colour] = colours.get(colour, 0) + 1
    n_light = sum(count for colour, count in colours.items() if min(colour) > 0xe0)
    check(n_light > 0.8 * sum(colours.values()), f"only {n_light} of {sum(colours.values())} are light")
    for name, colour in {"the outcome": (0xe1, 0xed, 0xfb), "a life": (0x33, 0xa0, 0x6f)}.items():
        check(colours.get(colour, 0) > 50, f"{name} is not drawn: {sorted(colours.items(), key=lambda it: -it[1])[:20]}")
    check(row.get_width() > 600, f"the connection is {row.get_width()} wide")


def main():
    unwind_on_sigterm()
    with display() as screen:
        return tell_all([
            staged(screen, shows_handshake_and_tickets, "--tls1.3"),
            staged(screen, lives_run_down_until_they_expire, "--tls1.3", "--tickets=1", "--lifetime=4"),
            staged(screen, resumed_and_refused_are_told, "--tls1.3"),
            staged(screen, failure_is_told),
            staged(screen, end_is_told, "--tls1.3", "--behaviour=farewell"),
            staged(screen, is_drawn, "--tls1.3"),
        ])


if __name__ == "__main__":
    sys.exit(main())

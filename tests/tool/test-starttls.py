# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session probe --starttls, with servers that agree, refuse, and misbehave."""

import sys
import tempfile
import time
from functools import partial

import starttls_server
import tap
from certificates import Certificates
from starttls_server import XMPP_TLS, ftp, imap, ldap, ldap_response, pop3, postgres, serving, smtp, xmpp
from tap import check
from tool import DONE, FAILED, run

ALL = (ftp, smtp, imap, pop3, xmpp, postgres, ldap)
NO_END_SECONDS = 60  # far more than any of the probe's own limits


def probe(server, certificates, dialogue, *options):
    return run("probe", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", certificates.root, "--count", 1,
               "--starttls", dialogue.__name__, *options)


def check_refused(certificates, protocol, dialogue, *words):
    """It fails before TLS, in those words, and not by waiting for its own end."""
    began = time.monotonic()
    with serving(certificates, dialogue) as server:
        told = probe(server, certificates, protocol, "--timeout", 30)
    told.expect(FAILED, "starttls", *words)
    check(time.monotonic() - began < NO_END_SECONDS, "it took too long")
    check("\x1b" not in told.output, repr(told.output))


def agrees(certificates, protocol, dialogue=None):
    with serving(certificates, dialogue or protocol) as server:
        told = probe(server, certificates, protocol)
    check(not server.complaints, f"the server complains: {server.complaints}")
    told.expect(DONE, f"STARTTLS for {protocol.__name__}", "verified", "1 of 1")


def agrees_in_other_forms(certificates):
    agrees(certificates, xmpp, partial(xmpp, last=b"<proceed xmlns='" + XMPP_TLS + b"'></proceed>"))
    agrees(certificates, ldap, partial(ldap, last=ldap_response(long_lengths=True)))
    agrees(certificates, imap, partial(imap, last=b"* OK By the way\r\na2 OK Begin\r\n"))


def agrees_byte_by_byte(certificates, protocol):
    """The answers come in small pieces."""

    class Slow(starttls_server.Client):
        def say(self, text):
            for at in range(0, len(text), 7):
                self.socket.sendall(text[at:at + 7])
                time.sleep(0.002)

    agrees(certificates, protocol, lambda client: protocol(Slow(client.socket)))


def refusal_is_told(certificates):
    for dialogue, last, words in (
            (ftp, b"502 No \x1b[31msuch command\r\n", r"502 No \x1b[31msuch command"),
            (smtp, b"454 Not now\r\n", "454 Not now"),
            (imap, b"a2 NO Never\r\n", "a2 NO Never"),
            (imap, b"* BYE\r\na2 BAD What\r\n", "a2 BAD What"),
            (pop3, b"-ERR Never\r\n", "-ERR Never"),
            (xmpp, b"<failure xmlns='" + XMPP_TLS + b"'/>", "failure"),
            (postgres, b"N", '"N"'),
            (postgres, b"E", '"E"'),
            (ldap, ldap_response(code=2), "another message"),
            (ldap, b"\x30\x05\x02\x01\x01\x61\x00", "another message"),
            (ldap, b"\xff\xff" + bytes(200), "another message")):
        check_refused(certificates, dialogue, partial(dialogue, last=last), "did not let TLS begin", words)


def server_that_does_not_offer_it_is_told(certificates):
    for dialogue in (smtp, imap, xmpp):
        check_refused(certificates, dialogue, partial(dialogue, announced=b""), "it does not offer it")


def words_behind_the_agreement_are_refused(certificates):
    for dialogue, last in ((ftp, b"234 Go on\r\n331 Injected\r\n"), (smtp, b"220 Go on\r\n250 Injected\r\n"),
                           (imap, b"a2 OK Begin\r\n* OK Injected\r\n"), (pop3, b"+OK Begin\r\n+OK Injected\r\n"),
                           (postgres, b"SInjected"), (ldap, ldap_response() + b"\x30"),
                           (xmpp, b"<proceed xmlns='" + XMPP_TLS + b"'/><injected/>")):
        check_refused(certificates, dialogue, partial(dialogue, last=last), "injected")


def say_without_end(text, client):
    """Until the client leaves."""
    until = time.monotonic() + NO_END_SECONDS
    while time.monotonic() < until:
        client.say(text)


def endless_line_is_cut_off(certificates):
    for dialogue in (ftp, smtp, imap, pop3, xmpp):
        check_refused(certificates, dialogue, partial(say_without_end, b"220-" + b"x" * 1000), "longer than 4096 bytes")
    huge = b"\x30\x84\x7f\xff\xff\xff" + b"x" * 8192
    check_refused(certificates, ldap, partial(ldap, last=huge), "longer than 4096 bytes")


def endless_lines_are_cut_off(certificates):
    for dialogue, line in ((ftp, b"220-More\r\n"), (smtp, b"220-More\r\n"), (xmpp, b"<more>")):
        check_refused(certificates, dialogue, partial(say_without_end, line), "talks on and on")


def hangup_is_told(certificates):
    for dialogue in ALL:
        check_refused(certificates, dialogue, lambda client: client.socket.shutdown(2), "ended the connection")


def wait(client):
    client.socket.recv(4096)
    client.socket.settimeout(NO_END_SECONDS)
    client.socket.recv(4096)


def drip(client):
    """Each byte in time, the whole never."""
    until = time.monotonic() + NO_END_SECONDS
    while time.monotonic() < until:
        client.say(b"2")
        time.sleep(0.1)


def silence_ends_in_time(certificates):
    for dialogue, behaviour in ((smtp, wait), (ldap, wait), (postgres, wait), (smtp, drip)):
        began = time.monotonic()
        with serving(certificates, behaviour) as server:
            told = probe(server, certificates, dialogue, "--timeout", 1)
        told.expect(FAILED, "did not agree to TLS within 1 s")
        check(time.monotonic() - began < NO_END_SECONDS / 2, "it took too long")


def hosts_with_markup_are_not_sent(certificates):
    """In XML they would say something else."""
    headers = []
    with serving(certificates, lambda client: headers.append(client.expect_until(b"streams'>"))) as server:
        told = run("probe", "a'to='b>c", "--address", f"127.0.0.1:{server.port}", "--starttls", "xmpp",
                   "--timeout", 1)
    told.expect(FAILED, "did not agree")
    check(headers and b" to='' " in headers[0], f"{headers}")


STORIES = (agrees_in_other_forms, refusal_is_told, server_that_does_not_offer_it_is_told,
           words_behind_the_agreement_are_refused, endless_line_is_cut_off, endless_lines_are_cut_off, hangup_is_told,
           silence_ends_in_time, hosts_with_markup_are_not_sent)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-tool-") as directory:
        certificates = Certificates(directory)
        stories = [(f"agrees_with_{dialogue.__name__}", partial(agrees, certificates, dialogue)) for dialogue in ALL]
        stories += [(f"agrees_byte_by_byte_with_{dialogue.__name__}",
                     partial(agrees_byte_by_byte, certificates, dialogue)) for dialogue in (smtp, xmpp, ldap)]
        stories += [(story.__name__, partial(story, certificates)) for story in STORIES]
        return tap.tell_all(stories)


if __name__ == "__main__":
    sys.exit(main())

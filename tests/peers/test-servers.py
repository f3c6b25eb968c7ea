# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our client with the servers of others: a session is made, and resumed or refused, and both sides say the same."""

import sys
import tempfile
from functools import partial

import servers
import tap
from certificates import Certificates
from our_client import GTlsSession, TICKET_MILLISECONDS, connected
from tap import check

from gi.repository import Gio, GLib

Resumption = GTlsSession.Resumption


def check_resumption(helper, expected):
    check(helper.props.resumption == expected, f"{helper.props.resumption.value_nick}: {helper.explain()}")


def check_reused(server, *expected):
    reused = [account.reused for account in server.accounts(len(expected))]
    check(reused == list(expected), f"the server says of its sessions reused: {reused}\n{server.program.told()}")


def make_session(server, certificates, **options):
    """A full handshake, an exchange, a ticket: the helper that has it, its connection closed."""
    with connected(server, certificates.root, **options) as (helper, stream):
        check_resumption(helper, Resumption.NONE)
        server.exchange(stream)
        helper.wait_for_ticket(TICKET_MILLISECONDS, None)
    return helper


def use_session(server, certificates, source, expected, **options):
    with connected(server, certificates.root, source, **options) as (helper, stream):
        check_resumption(helper, expected)
        server.exchange(stream)


def resumes_after_ticket(certificates, kind, version):
    with servers.running(kind, certificates, version) as server:
        first = make_session(server, certificates)
        use_session(server, certificates, first, Resumption.RESUMED)
        check_reused(server, False, True)


def resumes_again_and_again(certificates, kind, version):
    with servers.running(kind, certificates, version) as server:
        helper = make_session(server, certificates)
        for _ in range(3):
            with connected(server, certificates.root, helper) as (helper, stream):
                check_resumption(helper, Resumption.RESUMED)
                server.exchange(stream)
                helper.wait_for_ticket(TICKET_MILLISECONDS, None)
        check_reused(server, False, True, True, True)


def restarted_server_refuses(certificates, kind, version):
    with servers.running(kind, certificates, version) as server:
        first = make_session(server, certificates)
    with servers.running(kind, certificates, version) as server:
        use_session(server, certificates, first, Resumption.REFUSED)
        check_reused(server, False)


def client_certificate_is_accepted(certificates, kind, version):
    with servers.running(kind, certificates, version, wants_client=True) as server:
        first = make_session(server, certificates, certificate=certificates.client)
        use_session(server, certificates, first, Resumption.RESUMED, certificate=certificates.client)
        check_reused(server, False, True)
        verified = [account.client_certificate for account in server.accounts(2)]
        check(all(verified), f"the server says of the client's certificates: {verified}\n{server.program.told()}")


def no_client_certificate_is_rejected(certificates, kind, version):
    """nginx says so in HTTP, the others in TLS."""
    with servers.running(kind, certificates, version, wants_client=True) as server:
        try:
            with connected(server, certificates.root) as (_, stream):
                stream.write(b"GET / HTTP/1.0\r\n\r\n")
                answer = stream.read_until(b"\r\n")
                check(answer.startswith(b"HTTP/1.1 400"), f"the server answered {answer}")
        except GLib.Error as error:
            # TLS 1.2 has no alert of its own for this.
            codes = [Gio.TlsError.CERTIFICATE_REQUIRED] + ([Gio.TlsError.HANDSHAKE] if version == "1.2" else [])
            check(any(error.matches(Gio.TlsError.quark(), code) for code in codes), f"another error: {error}")


def stories(certificates):
    for name, kind in servers.KINDS.items():
        for version in ("1.3", "1.2"):
            told = [resumes_after_ticket, restarted_server_refuses]
            if kind.renews_tickets or version == "1.2":  # a session of TLS 1.2 may be used again
                told.append(resumes_again_and_again)
            if kind in (servers.Nginx, servers.OpensslServer):
                told += [client_certificate_is_accepted, no_client_certificate_is_rejected]
            for story in told:
                yield f"{name}/tls{version}/{story.__name__}", partial(story, certificates, kind, version)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-peers-") as directory:
        return tap.tell_all(list(stories(Certificates(directory))))


if __name__ == "__main__":
    sys.exit(main())

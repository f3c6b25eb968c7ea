# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our server with the clients of others: a session is made, and resumed or refused, and both sides say the same."""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import clients
import our_server
import tap
from certificates import Certificates
from session_file import forget_lifetime
from tap import check

LIFETIME_SECONDS = 3
# OpenSSL counts whole seconds, and one more may pass before it calls a ticket old.
OVER_SECONDS = LIFETIME_SECONDS + 2
VERSIONS = ("1.3", "1.2")


def check_resumed(client, session, expected, *options):
    told = client.offer_session(session, *options)
    resumed = client.was_resumed(told)
    check(resumed == expected, f"openssl s_client says the session was {'' if resumed else 'not '}resumed")
    return told


def full_and_resumed(certificates, directory, kind, version):
    with our_server.running(directory, certificates) as server:
        told = kind(directory, certificates, server.port, version).converse()
        check(told == [False] * (len(told) - 1) + [True] and len(told) >= 2, f"the client says {told}")
        server.check_accounts(*[("resumed" if reused else "none", version) for reused in told])


def session_id_is_resumed_without_tickets(certificates, directory):
    session = directory / "session"
    with our_server.running(directory, certificates) as server:
        client = clients.OpensslClient(directory, certificates, server.port, "1.2")
        told = client.make_session(session, "-no_ticket")
        check(client.ticket_key_name(told) is None, "there was a ticket")
        check_resumed(client, session, True, "-no_ticket")
        server.check_accounts(("none", "1.2"), ("resumed", "1.2"))


def yesterdays_ticket_is_taken_after_a_restart(certificates, directory, version):
    keys, session = directory / "keys", directory / "session"
    with our_server.running(directory, certificates, "--keys", keys) as server:
        clients.OpensslClient(directory, certificates, server.port, version).make_session(session)
        server.ask("save")
    with our_server.running(directory, certificates, "--keys", keys) as server:
        client = clients.OpensslClient(directory, certificates, server.port, version)
        check_resumed(client, session, True)
        server.check_accounts(("resumed", version))
        server.ask("rotate")
        server.ask("save")
    with our_server.running(directory, certificates, "--keys", keys) as server:
        client = clients.OpensslClient(directory, certificates, server.port, version)
        check_resumed(client, session, True)
        server.check_accounts(("resumed", version))


def other_keys_refuse(certificates, directory, version):
    session = directory / "session"
    with our_server.running(directory, certificates) as server:
        clients.OpensslClient(directory, certificates, server.port, version).make_session(session)
    with our_server.running(directory, certificates) as server:
        client = clients.OpensslClient(directory, certificates, server.port, version)
        check_resumed(client, session, False)
        server.check_accounts(("refused", version))


def offer_within_and_after_lifetime(certificates, directory, rotate):
    """One wait is enough for both versions."""
    with our_server.running(directory, certificates, "--lifetime", LIFETIME_SECONDS) as server:
        sessions = {version: directory / version for version in VERSIONS}
        all_clients = {version: clients.OpensslClient(directory, certificates, server.port, version)
                       for version in VERSIONS}
        keys_before = {client.ticket_key_name(client.make_session(sessions[version]))
                       for version, client in all_clients.items()}
        if rotate:
            server.ask("rotate")
        keys_after = {client.ticket_key_name(check_resumed(client, sessions[version], True))
                      for version, client in all_clients.items()}
        check(len(keys_before) == len(keys_after) == 1 and (keys_before != keys_after) == rotate,
              f"tickets were sealed with the keys {keys_before}, then {keys_after}")
        time.sleep(OVER_SECONDS)
        forget_lifetime(sessions["1.3"], LIFETIME_SECONDS)
        for version, client in all_clients.items():
            check_resumed(client, sessions[version], False)
        server.check_accounts(*[(resumption, version) for resumption in ("none", "resumed", "refused")
                                for version in VERSIONS])


def ticket_is_taken_within_its_lifetime_only(certificates, directory):
    offer_within_and_after_lifetime(certificates, directory, rotate=False)


def ticket_of_a_rotated_key_is_taken_within_its_lifetime_only(certificates, directory):
    offer_within_and_after_lifetime(certificates, directory, rotate=True)


def client_certificate_is_accepted(certificates, directory, version):
    session, own = directory / "session", ["-cert", certificates.client, "-key", certificates.client]
    with our_server.running(directory, certificates, "--client-root", certificates.root) as server:
        client = clients.OpensslClient(directory, certificates, server.port, version)
        client.make_session(session, *own)
        check_resumed(client, session, True, *own)
        server.check_accounts(("none", version), ("resumed", version), client="certified")


def no_client_certificate_is_rejected(certificates, directory, version):
    with our_server.running(directory, certificates, "--client-root", certificates.root) as server:
        client = clients.OpensslClient(directory, certificates, server.port, version)
        client.request = b""  # what a server does not read may drown its alert in a reset
        try:
            client.connect()
        except tap.Failed as failed:
            check("alert" in str(failed), f"no alert came: {failed}")
        else:
            raise tap.Failed("our server took a client without a certificate")
        server.program.wait_until(lambda told: "the client showed no certificate" in told, "why")


def in_a_directory(story, certificates, *arguments):
    with tempfile.TemporaryDirectory(prefix="gtls-session-peer-") as directory:
        story(certificates, Path(directory), *arguments)


def stories(certificates):
    def tell(name, story, *arguments):
        return f"{name}/{story.__name__}", partial(in_a_directory, story, certificates, *arguments)

    for name, kind in clients.KINDS.items():
        for version in VERSIONS:
            yield tell(f"{name}/tls{version}", full_and_resumed, kind, version)
    yield tell("openssl/tls1.2", session_id_is_resumed_without_tickets)
    for version in VERSIONS:
        yield tell(f"openssl/tls{version}", yesterdays_ticket_is_taken_after_a_restart, version)
        yield tell(f"openssl/tls{version}", other_keys_refuse, version)
        yield tell(f"openssl/tls{version}", client_certificate_is_accepted, version)
        yield tell(f"openssl/tls{version}", no_client_certificate_is_rejected, version)
    yield tell("openssl", ticket_is_taken_within_its_lifetime_only)
    yield tell("openssl", ticket_of_a_rotated_key_is_taken_within_its_lifetime_only)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-peers-") as directory:
        return tap.tell_all(list(stories(Certificates(directory))))


if __name__ == "__main__":
    sys.exit(main())

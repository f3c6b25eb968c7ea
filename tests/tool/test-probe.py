# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session probe: what it says of servers, to people and to programs."""

import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial

import documented
import nodes
import servers
import tap
from certificates import Certificates
from program import free_port
from tap import check
from tool import DONE, FAILED, NO, USAGE, run, run_on_terminal

ESCAPE = "\x1b"
PATIENCE_SECONDS = 60


def check_equal(is_so, expected, what):
    check(is_so == expected, f"{what}: {is_so}, not {expected}")


def codes_of(report):
    return [finding["code"] for finding in report["findings"]]


def probe(server, *options, root=None):
    trust = ("--ca", root or server.certificates.root)
    return run("probe", f"localhost:{server.port}", *trust, "--count", 2, *options)


@contextmanager
def openssl(certificates, version, *arguments):
    class Openssl(servers.OpensslServer):
        def command(self):
            return [*super().command(), *arguments]

    with servers.running(Openssl, certificates, version) as server:
        yield server


def at_loopback(server):
    return ("--address", f"127.0.0.1:{server.port}")


# Ticket keys


def different_keys_are_told(certificates):
    with nodes.running(certificates, "a", "b") as server:
        probe(server, *server.options()).expect(NO, "127.0.0.2 shares ticket keys with no other address.",
                                                "127.0.0.3 shares ticket keys with no other address.")
        report = probe(server, *server.options(), "--json").expect(NO).json()
    check_equal(report["groups"], [["127.0.0.2"], ["127.0.0.3"]], "groups")
    check_equal(codes_of(report), ["keys-not-shared"], "findings")
    check_equal([offer["resumption"] for offer in report["offers"]], ["refused", "refused"], "offers")


def shared_keys_are_told(certificates):
    with nodes.running(certificates, "a", "a") as server:
        told = probe(server, *server.options()).expect(DONE, "127.0.0.2 and 127.0.0.3 share ticket keys.")
        check("no other address" not in told.output, told.output)
        report = probe(server, *server.options(), "--json").expect(DONE).json()
    check_equal(report["groups"], [["127.0.0.2", "127.0.0.3"]], "groups")
    check_equal(report["findings"], [], "findings")
    check_equal([offer["resumption"] for offer in report["offers"]], ["resumed", "resumed"], "offers")


def groups_of_nodes_are_told(certificates):
    with nodes.running(certificates, "a", "b", "a", "b", "c") as server:
        report = probe(server, *server.options(), "--json").expect(NO).json()
    check_equal(report["groups"], [["127.0.0.2", "127.0.0.4"], ["127.0.0.3", "127.0.0.5"], ["127.0.0.6"]], "groups")


def keys_that_one_has_left_are_told(certificates):
    """The first node has the new key and still takes tickets of the old one, the second has only the old one."""
    with nodes.running(certificates, ("new", "old"), ("old",)) as server:
        told = probe(server, *server.options())
        told.expect(NO, "127.0.0.2 takes tickets of 127.0.0.3, but not the other way round.")


def keys_are_told_with_tls12(certificates):
    with nodes.running(certificates, "a", "b", "a") as server:
        report = probe(server, *server.options(), "--json", "--tls1.2").expect(NO).json()
    check_equal({node["answer"]["version"] for node in report["nodes"]}, {"TLS 1.2"}, "versions")
    check_equal(report["groups"], [["127.0.0.2", "127.0.0.4"], ["127.0.0.3"]], "groups")


# Behind one address


def servers_behind_one_address_are_suspected(certificates):
    """Each run is two connections; in the second run they meet different servers."""
    with nodes.running(certificates, "a", "b") as server, nodes.balancing(server, (0, 0, 0, 1)) as balancer:
        told = probe(server, *at_loopback(balancer))
        told.expect(NO, "1 of 2", "there may be several servers behind this address")


def refusing_server_is_told(certificates):
    with nodes.running(certificates, "a", "b") as server, nodes.balancing(server, (0, 1)) as balancer:
        told = probe(server, *at_loopback(balancer))
        told.expect(NO, "0 of 2", "None of its tickets was taken", "refused the session ticket")
        report = probe(server, *at_loopback(balancer), "--json").expect(NO).json()
    check_equal(codes_of(report), ["not-resumed"], "findings")
    answer = report["nodes"][0]["answer"]
    check_equal(answer["median_resumed_us"], None, "the median of no handshake")
    check_equal([run["resumption"] for run in answer["runs"]], ["refused", "refused"], "runs")


# One server


def tells_version_chain_and_tickets(certificates, version):
    with openssl(certificates, version, "-alpn", "h2") as server:
        options = (*at_loopback(server), "--alpn", "h2,http/1.1", "--count", 3)
        probe(server, *options).expect(DONE, f"TLS {version}", "ALPN h2", "CN=localhost, until ", "3 of 3", "verified")
        report = probe(server, *options, "--json").expect(DONE).json()
    answer = report["nodes"][0]["answer"]
    check_equal(answer["version"], f"TLS {version}", "version")
    check_equal(answer["alpn"], "h2", "ALPN")
    check_equal(answer["tickets"]["count"], 2 if version == "1.3" else 1, "tickets")
    check_equal(answer["tickets"]["single_use"], version == "1.3", "used once")
    check_equal(len(answer["runs"]), 3, "runs")
    check_equal([run["resumption"] for run in answer["runs"]], ["resumed"] * 3, "runs")
    check(all(run["full_us"] > 0 and run["second_us"] > 0 for run in answer["runs"]), f"{answer['runs']}")
    check_equal(answer["chain"][0]["subject"], "CN=localhost", "subject")


def counts_all_tickets(certificates):
    with openssl(certificates, "1.3", "-num_tickets", "7") as server:
        report = probe(server, *at_loopback(server), "--json").expect(DONE).json()
    check_equal(report["nodes"][0]["answer"]["tickets"]["count"], 7, "tickets")


def early_data_are_told(certificates):
    with openssl(certificates, "1.3", "-early_data", "-max_early_data", "4321") as server:
        probe(server, *at_loopback(server)).expect(DONE, "up to 4321 bytes of early data")
    with openssl(certificates, "1.3") as server:
        probe(server, *at_loopback(server)).expect(DONE, "no early data")


def server_without_tickets_is_told(certificates):
    with openssl(certificates, "1.3", "-num_tickets", "0") as server:
        probe(server, *at_loopback(server)).expect(NO, "It gives no session tickets.")
        report = probe(server, *at_loopback(server), "--json").expect(NO).json()
    check_equal(codes_of(report), ["no-tickets"], "findings")
    check_equal(report["groups"], [], "groups")


def unverified_certificate_is_told_and_the_rest_too(certificates):
    with openssl(certificates, "1.3") as server:
        told = run("probe", f"localhost:{server.port}", *at_loopback(server))
        told.expect(NO, "NOT VERIFIED", "not signed by anybody who is trusted", "accepted it by hand", "5 of 5")
        report = probe(server, *at_loopback(server), "--json").expect(DONE).json()
        check_equal(report["nodes"][0]["answer"]["verification"],
                    {"verified": True, "accepted_by_hand": False, "faults": []}, "verification")
        report = run("probe", "elsewhere.example", *at_loopback(server), "--ca", certificates.root, "--json")
    verification = report.expect(NO).json()["nodes"][0]["answer"]["verification"]
    check_equal(verification, {"verified": False, "accepted_by_hand": True, "faults": ["bad-identity"]}, "verification")
    check_equal(codes_of(report.json()), ["not-verified"], "findings")


# Failures


def nobody_there_is_a_failure(certificates):
    told = run("probe", "localhost", "--address", f"127.0.0.1:{free_port()}").expect(FAILED, "refused")
    check("All is well" not in told.output, told.output)


def one_node_missing_is_a_finding(certificates):
    with nodes.running(certificates, "a") as server:
        told = probe(server, *server.options(), "--address", f"127.0.0.9:{free_port()}", "--json").expect(NO)
    check_equal(codes_of(told.json()), ["unreachable"], "findings")
    check_equal([node["stage"] for node in told.json()["nodes"]], ["done", "connect"], "stages")


def name_that_does_not_exist_is_a_failure(certificates):
    """RFC 6761: .invalid never does. Without a network the reason is another one."""
    told = run("probe", "nobody.invalid").complains(FAILED, "nobody.invalid")
    check_equal(told.output, "", "output")


def scope_of_an_address_is_kept(certificates):
    """A link-local address is one of an interface; a certificate knows of none."""
    report = run("probe", "fe80::1%lo", "--json", "--timeout", 1).expect(FAILED).json()
    check_equal((report["host"], report["nodes"][0]["address"]), ("fe80::1", "fe80::1"), "the address")
    check_equal(report["nodes"][0]["name"], f"fe80::1%{socket.if_nametoindex('lo')}", "the node")


class Talking:
    """A server for those that do not behave; each connection in a thread of its own, for as long as somebody listens."""

    def __init__(self, certificates, talk):
        self.certificates, self.talk = certificates, talk
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):  # it was closed
            while True:
                threading.Thread(target=self.serve, args=self.listener.accept()[:1], daemon=True).start()

    def serve(self, connection):
        with suppress(OSError), connection:  # the client left
            self.talk(connection)


@contextmanager
def talking(certificates, talk):
    server = Talking(certificates, talk)
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def server_that_talks_on_and_on_is_left(certificates):
    """It says a byte now and then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)

    def talk(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            while True:
                secure.sendall(b".")
                time.sleep(0.05)

    began = time.monotonic()
    with talking(certificates, talk) as server:
        probe(server, *at_loopback(server)).expect(DONE, "2 of 2")
    check(time.monotonic() - began < PATIENCE_SECONDS, "it listened on and on")


def drip(connection):
    """A TLS record of 16 KiB that comes byte by byte."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    while True:
        connection.sendall(b".")
        time.sleep(0.1)


def server_that_shakes_hands_for_ever_is_left(certificates):
    for behaviour in (drip, lambda connection: connection.recv(1) and connection.recv(1 << 20) and connection.recv(1)):
        began = time.monotonic()
        with talking(certificates, behaviour) as server:
            probe(server, *at_loopback(server), "--timeout", 1).expect(FAILED, "The handshake did not end within 1 s")
        check(time.monotonic() - began < PATIENCE_SECONDS, "it waited on and on")


def plain_text_server_is_a_failure(certificates):
    with nodes.running(certificates, "a") as server:
        told = probe(server, *server.options(), "--starttls", "smtp", "--timeout", 1)
    told.expect(FAILED, "starttls", "did not agree to TLS within 1 s")


def wrong_command_lines_are_told(certificates):
    for arguments in ((), ("a", "b"), ("a", "--count", "0"), ("a", "--count", "many"), ("a", "--starttls", "nntp"),
                      ("a", "--address", "name"), ("a", "--alpn", ","), ("a:b",), ("a", "--nonsense"),
                      ("a", "--timeout", "-1"), ("",), ("http://a/",), ("https://a:1/",), ("a/b",)):
        told = run("probe", *arguments).complains(USAGE, "gtls-session probe --help")
        check_equal(told.output, "", f"{arguments}: output")
    run("probe", "a", "--ca", "/nowhere").complains(FAILED, "/nowhere")


# Telling


def json_is_as_documented(certificates):
    page, reports = "probe-json.md", []
    with nodes.running(certificates, "a", "b") as server:
        reports.append(probe(server, *server.options(), "--json", "--alpn", "http/1.1"))
        reports.append(run("probe", "elsewhere.example", *server.options()[:2], "--json", "--address",
                           f"127.0.0.9:{free_port()}", "--address", f"127.0.0.2:{server.port}"))
    with openssl(certificates, "1.3", "-num_tickets", "0") as server:
        reports.append(probe(server, *at_loopback(server), "--json", "--starttls", "postgres", "--timeout", 1))
        reports.append(probe(server, *at_loopback(server), "--json"))
    for report in reports:
        check_equal(report.json()["format"], 1, "format")
        check(set(codes_of(report.json())) <= documented.codes(page), f"{codes_of(report.json())} are not all documented")
    documented.check_documented(page, [report.json() for report in reports])


def pipe_gets_plain_text(certificates):
    with nodes.running(certificates, "a", "b") as server:
        told = probe(server, *server.options()).expect(NO)
        check(ESCAPE not in told.output, repr(told.output))
        why = [line for line in told.output.splitlines() if line.startswith("  why")]
        check(all(line.endswith(".") for line in why) and why, f"a line is broken: {why}")
        told = run("probe", f"localhost:{server.port}", *server.options(), LC_ALL="C")
        check(told.output.isascii() and "###" in told.output, told.output)


def terminal_gets_colour_within_its_width(certificates):
    with nodes.running(certificates, "a", "b") as server:
        arguments = ("probe", f"localhost:{server.port}", *server.options(), "--ca", certificates.root)
        narrow = run_on_terminal(*arguments, columns=40).expect(NO, ESCAPE + "[1m", ESCAPE + "[32m", "█")
        wide = run_on_terminal(*arguments, columns=200).expect(NO, ESCAPE)
        plain = run_on_terminal(*arguments, columns=60, NO_COLOR="1").expect(NO)
        dumb = run_on_terminal(*arguments, columns=60, TERM="dumb").expect(NO)
    check(ESCAPE not in plain.output and ESCAPE not in dumb.output, plain.output + dumb.output)
    for told, columns in ((narrow, 40), (plain, 60)):
        lines = re.sub(r"\x1b\[\d*m", "", told.output).splitlines()
        check(max(map(len, lines)) <= columns, f"a line is longer than {columns}: {max(lines, key=len)}")
    check(len(wide.output.splitlines()) < len(narrow.output.splitlines()), "a wide terminal gets as many lines")


STORIES = (different_keys_are_told, shared_keys_are_told, groups_of_nodes_are_told, keys_that_one_has_left_are_told,
           keys_are_told_with_tls12, servers_behind_one_address_are_suspected, refusing_server_is_told,
           counts_all_tickets, early_data_are_told, server_without_tickets_is_told,
           unverified_certificate_is_told_and_the_rest_too, nobody_there_is_a_failure, one_node_missing_is_a_finding,
           scope_of_an_address_is_kept, server_that_talks_on_and_on_is_left,
           server_that_shakes_hands_for_ever_is_left, name_that_does_not_exist_is_a_failure, plain_text_server_is_a_failure, wrong_command_lines_are_told,
           json_is_as_documented, pipe_gets_plain_text, terminal_gets_colour_within_its_width)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-tool-") as directory:
        certificates = Certificates(directory)
        stories = [(story.__name__, partial(story, certificates)) for story in STORIES]
        stories += [(f"tells_version_chain_and_tickets_of_{version}",
                     partial(tells_version_chain_and_tickets, certificates, version)) for version in ("1.2", "1.3")]
        return tap.tell_all(stories)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root, a server's certificate for localhost, and a client's, made with openssl."""

import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Certificates:
    """Paths: root, server (certificate), server_key, client (certificate and key)."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.root = self.directory / "root.pem"
        self.openssl("req", "-x509", *KEY, "-keyout", "root.key", "-out", "root.pem", "-days", "2", "-subj",
                     "/CN=Peers test root")
        self.server, self.server_key = self.issue("server", "localhost", "serverAuth", "DNS:localhost,IP:127.0.0.1")
        certificate, key = self.issue("client", "Peers test client", "clientAuth", "email:client@example.org")
        self.client = self.join("client-both.pem", certificate, key)
        self.server_both = self.join("server-both.pem", self.server, self.server_key)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name, subject, usage, alternative_name):
        (self.directory / "extensions").write_text(f"extendedKeyUsage={usage}\nsubjectAltName={alternative_name}\n")
        self.openssl("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                     "-days", "2", "-extfile", "extensions", "-out", f"{name}.pem")
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def join(self, name, certificate, key):
        both = self.directory / name
        both.write_text(certificate.read_text() + key.read_text())
        both.chmod(0o600)
        return both

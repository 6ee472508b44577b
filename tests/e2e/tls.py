"""A virtual host with TLS, and a client for it."""

import ssl
import subprocess

from client import Connection
from server import free_port

NOISE = "AH01873|AH01906|AH01909|AH02292|AH02572"
MODULES = ("socache_shmcb", "ssl")


def tls_host(server, lines: str = "") -> tuple[str, int]:
    """Make a key; the text of a host with `lines`, and its port."""
    key, cert = server.root / "key.pem", server.root / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-keyout", str(key), "-out",
         str(cert)], check=True, capture_output=True)
    port = free_port()
    return f"""
        Listen 127.0.0.1:{port}
        <VirtualHost *:{port}>
            ServerName localhost
            SSLEngine on
            SSLCertificateFile {cert}
            SSLCertificateKeyFile {key}
            {lines}
        </VirtualHost>""", port


def trusting() -> ssl.SSLContext:
    """For a client that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def tls_ask(port: int, target: str = "/hello"):
    with Connection(port, tls=trusting()) as connection:
        return connection.ask(target)

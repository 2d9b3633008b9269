"""A private authority and what it signed, made by the ``openssl`` program: a server's certificate of loopback, and a client's."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = "subjectAltName=IP:127.0.0.1,DNS:localhost"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files (PEM)."""

    ca: Path
    cert: Path
    key: Path
    client_cert: Path
    client_key: Path


def certificates(folder: Path) -> Certificates:
    """Make them."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Certificates(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key"))
    )
    authority = folder / "ca.key"
    _made("authority", found.ca, authority, "-addext", "keyUsage=critical,keyCertSign")
    signed = ("-CA", str(found.ca), "-CAkey", str(authority), "-addext", "basicConstraints=critical,CA:FALSE")
    _made("server", found.cert, found.key, *signed, "-addext", _LOOPBACK)
    _made("client", found.client_cert, found.client_key, *signed)
    return found


def _made(name: str, cert: Path, key: Path, *how: str) -> None:
    files = ("-keyout", str(key), "-out", str(cert))
    subprocess.run(
        ["openssl", "req", "-x509", "-subj", f"/CN={name}", *_KEY, *files, *how], check=True, capture_output=True
    )

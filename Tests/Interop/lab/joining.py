"""Joins a person without a browser: what the page does, with keys that fit the grammar and open nothing."""

from __future__ import annotations

import base64
import json
import os
import urllib.request

# The generator of P-256 (FIPS 186-4 D.1.2.3), uncompressed: a point on the curve, which is all the server checks.
POINT = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def join(base: str, link: str, user_name: str | None = None, full_name: str | None = None) -> None:
    """Uses a join link; `base` is where the server is reached."""
    token = link.split("/join/")[1].split("#")[0].strip()
    body = {
        "salt": text(os.urandom(16)), "auth": text(os.urandom(32)),
        "keys": {
            "signingPublic": text(POINT), "agreementPublic": text(POINT),
            "wrapped": {"iv": text(os.urandom(12)), "data": text(os.urandom(300))},
            "recovery": {"salt": text(os.urandom(16)), "iv": text(os.urandom(12)), "data": text(os.urandom(300)), "auth": text(os.urandom(32))},
        },
    }
    if user_name:
        body["userName"] = user_name
    if full_name:
        body["fullName"] = full_name
    request = urllib.request.Request(f"{base}/api/join/{token}", json.dumps(body).encode(), {
        "Content-Type": "application/json", "X-Hearth": "1", "Origin": base})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201

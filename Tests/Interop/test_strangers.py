"""Strangers at the door: scanners, garbage, slow and oversized input, foreign origins. Each is refused, and nobody inside notices."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from lab.page import eventually
from lab.server import Server


def ask(server: Server, message: str, seconds: float = 5) -> str:
    """One datagram and the first final answer to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(seconds)
        sender.sendto(message.replace("\n", "\r\n").encode(), ("127.0.0.1", server.sip_port))
        while True:
            answer = sender.recv(65536).decode()
            if not answer.startswith("SIP/2.0 1"):
                return answer


def request(method: str, user: str, extra: str = "", sender: str = "scanner") -> str:
    tag = random.randrange(1 << 30)
    return (
        f"{method} sip:{user}@localhost SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{tag};rport\nMax-Forwards: 70\n"
        f"From: <sip:{sender}@localhost>;tag={tag}\nTo: <sip:{user}@localhost>\nCall-ID: {tag}@scan\nCSeq: 1 {method}\n"
        f"Contact: <sip:scanner@127.0.0.1:9>\n{extra}Content-Length: 0\n\n")


def impersonal(answer: str) -> str:
    """An answer without what differs by chance or by what was asked: nonces, tags, the name itself."""
    answer = re.sub(r'nonce="[^"]*"', "nonce", answer)
    answer = re.sub(r"(tag|branch|rport|received)=[^;,\s]*", r"\1", answer)
    answer = re.sub(r"Call-ID: .*|Date: .*|opaque=\"[^\"]*\"", "", answer)
    return re.sub(r"sip:[a-z0-9]+@localhost", "sip:someone@localhost", answer)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "BYE", "REFER"])
def test_nobody_learns_which_names_exist(server, method):
    exists, unknown = ask(server, request(method, "anna")), ask(server, request(method, "zoe1"))
    assert impersonal(exists) == impersonal(unknown)
    as_anna = ask(server, request(method, "anna", sender="anna"))
    as_zoe = ask(server, request(method, "zoe1", sender="zoe1"))
    assert impersonal(as_anna) == impersonal(as_zoe)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_wrong_digest_looks_the_same_for_known_and_unknown(server, method):
    header = "Proxy-Authorization" if method == "INVITE" else "Authorization"

    def attempt(user: str) -> str:
        challenge = ask(server, request(method, user, sender=user))
        nonce = re.search(r'nonce="([^"]+)"', challenge)
        assert nonce, challenge
        return ask(server, request(method, user, sender=user, extra=(
            f'{header}: Digest username="{user}", realm="localhost", nonce="{nonce[1]}", uri="sip:{user}@localhost", '
            'response="00000000000000000000000000000000", algorithm=MD5, cnonce="a", nc=00000001, qop=auth\n')))

    assert impersonal(attempt("anna")) == impersonal(attempt("zoe2"))


@pytest.mark.parametrize("command", [
    ["svmap", "-p", "{port}", "127.0.0.1"], ["svwar", "-e100-130", "-p", "{port}", "127.0.0.1"],
    ["svwar", "-e100-130", "-m", "INVITE", "-p", "{port}", "127.0.0.1"], ["svcrack", "-u", "anna", "-r1-200", "-p", "{port}", "127.0.0.1"],
], ids=["svmap", "svwar-register", "svwar-invite", "svcrack"])
def test_sipvicious_learns_nothing(server, command):
    words = [word.format(port=server.sip_port) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    found = [line for line in (done.stdout + done.stderr).splitlines() if re.match(r"\|\s*(anna|1\d\d)\s*\|", line)]
    assert not found, done.stdout
    assert "The password" not in done.stdout + done.stderr


def test_guessing_is_slowed_down(server):
    """After a few wrong passwords an account takes no more tries for a while, right or wrong, and says when."""

    def sign_in() -> int:
        body = json.dumps({"userName": "nobody", "auth": "A" * 43}).encode()
        call = urllib.request.Request(server.url + "/api/session", body, {
            "Content-Type": "application/json", "X-Hearth": "1", "Origin": server.url})
        try:
            return urllib.request.urlopen(call, timeout=10).status
        except urllib.error.HTTPError as error:
            if error.code == 429:
                assert int(error.headers["Retry-After"]) >= 1
            return error.code

    answers = [sign_in() for _ in range(30)]
    assert answers[0] == 401 and answers[-1] == 429


def test_garbage_on_every_port(server):
    noise = random.Random(4475)
    samples = [b"", b"\r\n\r\n", b"\x00" * 1500, b"INVITE", b"GET / HTTP/1.1\r\n\r\n", os.urandom(1400),
               b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n"]
    samples += [noise.randbytes(noise.randrange(1, 1400)) for _ in range(200)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sample in samples:
            sender.sendto(sample, ("127.0.0.1", server.sip_port))
    for port in (server.sip_port, server.sips_port, server.http_port, server.https_port):
        for sample in samples[1:20]:
            with socket.create_connection(("127.0.0.1", port), 2) as connection:
                try:
                    connection.sendall(sample)
                except OSError:
                    pass
    assert urllib.request.urlopen(server.url + "/healthz", timeout=5).status == 200
    assert "SIP/2.0 401" in ask(server, request("REGISTER", "anna"))


def closed_within(connection: socket.socket, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def test_an_over_long_sip_message_closes_its_connection(server):
    with socket.create_connection(("127.0.0.1", server.sip_port), 2) as connection:
        connection.sendall(b"INVITE sip:anna@localhost SIP/2.0\r\nContent-Length: 10000000\r\n\r\n")
        assert closed_within(connection, 5)
    with socket.create_connection(("127.0.0.1", server.sip_port), 2) as connection:
        try:
            for _ in range(40):
                connection.sendall(b"X-Filler: " + b"a" * 8000 + b"\r\n")
        except OSError:
            pass
        assert closed_within(connection, 5)


def upgrade(server: Server, origin: str | None, protocol: str | None = "sip", cookie: str | None = None) -> str:
    """Asks for a WebSocket; the status line of the answer."""
    with asked_for_upgrade(server, origin, protocol, cookie) as connection:
        return connection.recv(4096).decode(errors="replace").split("\r\n")[0]


def asked_for_upgrade(server: Server, origin: str | None, protocol: str | None, cookie: str | None = None) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.http_port), 2)
    lines = [f"GET /sip HTTP/1.1", f"Host: localhost:{server.http_port}", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    lines += [f"Origin: {origin}"] if origin else []
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    lines += [f"Cookie: {cookie}"] if cookie else []
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    connection.settimeout(5)
    return connection


def websocket(server: Server) -> socket.socket:
    """An open WebSocket of a stranger's, behind its handshake."""
    connection = asked_for_upgrade(server, None, "sip")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    assert b" 101 " in answer
    return connection


def frame(text: bytes, opcode: int = 1, is_last: bool = True) -> bytes:
    """One masked WebSocket frame (RFC 6455 §5.2); a mask of zeros leaves the text as it is."""
    head = bytes([opcode | (0x80 if is_last else 0)])
    size = bytes([0x80 | len(text)]) if len(text) < 126 else (
        b"\xfe" + len(text).to_bytes(2, "big") if len(text) < 65_536 else b"\xff" + len(text).to_bytes(8, "big"))
    return head + size + bytes(4) + text


@pytest.mark.parametrize("frames", [
    [(b"x" * 65_536, 1, True)], [(b"x" * 40_000, 1, False), (b"x" * 40_000, 0, True)],
], ids=["one frame", "two fragments"])
def test_an_over_long_websocket_message_closes_its_connection(server, frames):
    with websocket(server) as connection:
        for text, opcode, is_last in frames:
            connection.sendall(frame(text, opcode, is_last))
        closing = connection.recv(4)
        # Close, with status 1009: "a message that is too big for it to process" (RFC 6455 §7.4.1).
        assert closing[0] == 0x88 and int.from_bytes(closing[2:4], "big") == 1009
        assert closed_within(connection, 5)


def test_websocket_speaks_only_sip_and_a_foreign_page_is_never_somebody(server):
    """A stranger's SIP client is welcome to try its digest; a session's cookie counts from our own page alone."""
    assert " 101 " in upgrade(server, server.url)
    assert " 101 " in upgrade(server, None)
    assert " 403 " in upgrade(server, "https://evil.example", cookie="hearth_session=" + "A" * 43)
    assert " 403 " in upgrade(server, None, cookie="hearth_session=" + "A" * 43)
    assert " 400 " in upgrade(server, server.url, protocol=None)
    assert " 400 " in upgrade(server, server.url, protocol="chat")


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/api/me", "/join/none", "/nothing-here", "/healthz"):
        try:
            headers = urllib.request.urlopen(server.url + path, timeout=5).headers
        except urllib.error.HTTPError as error:
            headers = error.headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy and "unsafe-eval'" not in policy.replace("wasm-unsafe-eval", "")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("headers", [
    {}, {"X-Hearth": "1"}, {"Content-Type": "application/json", "X-Hearth": "1", "Origin": "https://evil.example"},
    {"Content-Type": "text/plain", "X-Hearth": "1"}, {"Content-Type": "application/json"},
], ids=["bare", "no type", "foreign origin", "plain text", "no mark"])
def test_a_forged_form_changes_nothing(server, headers):
    call = urllib.request.Request(server.url + "/api/session", b'{"userName":"anna","auth":"x"}', headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(call, timeout=5)
    assert refused.value.code in (400, 403, 415)


@pytest.mark.parametrize("service", ["https", "sips"])
def test_only_modern_tls(server, service):
    port = server.https_port if service == "https" else server.sips_port

    def handshake(*words: str) -> str:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *words],
            input="", capture_output=True, text=True, timeout=15)
        return done.stdout

    assert "TLSv1.3" in handshake("-tls1_3")
    assert re.search(r"Cipher\s+(is|:) ECDHE-\S+-(GCM|CHACHA20)", handshake("-tls1_2"))
    assert "Cipher is (NONE)" in handshake("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "Cipher is (NONE)" in handshake("-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    trusted = handshake("-CAfile", str(server.data / "tls/ca.pem"), "-verify_hostname", "localhost", "-verify_return_error")
    assert "Verify return code: 0 (ok)" in trusted
    if service == "https":
        assert "ALPN protocol: h2" in handshake("-alpn", "h2,http/1.1")


def test_the_local_authority_is_what_signs(server):
    """Trusting the one certificate in the data folder is enough: no warning afterwards."""
    context = ssl.create_default_context(cafile=str(server.data / "tls/ca.pem"))
    with urllib.request.urlopen(server.secure_url + "/healthz", context=context, timeout=5) as answer:
        assert answer.status == 200
    keys = list((server.data / "tls").glob("*.key"))
    assert keys and all(path.stat().st_mode & 0o077 == 0 for path in keys)


def test_http_leads_to_https_except_on_localhost(server):
    def get(host: str) -> tuple[int, str | None]:
        with socket.create_connection(("127.0.0.1", server.http_port), 2) as connection:
            connection.sendall(f"GET /c/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            connection.settimeout(5)
            text = b""
            while part := connection.recv(65536):
                text += part
        head = text.decode(errors="replace").split("\r\n\r\n")[0]
        location = re.search(r"(?i)^location: (.*)$", head, re.M)
        return int(head.split()[1]), location and location[1].strip()

    status, location = get("hearth.home.arpa")
    assert status in (301, 307, 308) and location and location.startswith("https://hearth.home.arpa")
    assert get(f"localhost:{server.http_port}")[0] in (200, 404)


def test_slow_and_silent_connections_are_closed(server):
    """Each within its named limit (docs/operate.md); all waited for at once."""
    slow = socket.create_connection(("127.0.0.1", server.http_port), 2)
    slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    half = socket.create_connection(("127.0.0.1", server.https_port), 2)
    half.sendall(b"\x16\x03\x01")
    silent_tls = socket.create_connection(("127.0.0.1", server.sips_port), 2)
    silent, chatting = websocket(server), websocket(server)
    dripping = socket.create_connection(("127.0.0.1", server.http_port), 2)
    dripping.sendall((
        f"POST /api/session HTTP/1.1\r\nHost: localhost:{server.http_port}\r\nContent-Type: application/json\r\nX-Hearth: 1\r\n"
        f"Origin: {server.url}\r\nContent-Length: 1000\r\n\r\n{{").encode())
    waiting = {
        "slow headers": slow, "half-open TLS": half, "silent TLS": silent_tls, "silent WebSocket": silent,
        "WebSocket without REGISTER": chatting, "dripping body": dripping}
    everyone = list(waiting.values())
    try:
        deadline = time.monotonic() + 40
        while waiting and time.monotonic() < deadline:
            # These two have something to say every second, and yet never what they came for.
            for connection, said in ((chatting, frame(request("OPTIONS", "localhost").encode())), (dripping, b" ")):
                try:
                    connection.sendall(said)
                except OSError:
                    pass
            waiting = {name: connection for name, connection in waiting.items() if not closed_within(connection, 1 / len(waiting))}
        assert not waiting, f"still open: {', '.join(waiting)}"
    finally:
        for connection in everyone:
            connection.close()


def test_commands_refuse_clearly(server):
    taken = subprocess.run(
        [server.process.args[0], "serve", "--data", str(server.work / "second"), "--listen", "127.0.0.1", "--http-port", str(server.http_port),
         "--https-port", "0", "--sip-port", "0", "--sips-port", "0", "--media-port", "0"], capture_output=True, text=True, timeout=20)
    assert taken.returncode == 1 and "--http-port" in taken.stderr + taken.stdout
    assert server.run("user", "add", "Not A Name!").returncode == 1
    assert server.run("user", "add").returncode == 64
    assert server.run("user", "remove", "nobody-here").returncode == 1
    listing = json.loads(server.command("user", "list", "--json"))
    assert any("anna" in json.dumps(person) for person in listing)


def test_metrics_and_log_are_readable(server):
    text = urllib.request.urlopen(server.url + "/metrics", timeout=5).read().decode()
    assert re.search(r"^# TYPE hearth_\w+ (counter|gauge|histogram|summary)$", text, re.M)
    assert all(re.match(r"^(#.*|[a-zA-Z_:][\w:]*(\{[^}]*\})? [-+.\deInfNa]+)$", line) for line in text.splitlines() if line), text
    eventually(lambda: "hearth: ready" in server.log, "the ready line")

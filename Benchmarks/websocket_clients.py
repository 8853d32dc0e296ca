"""Memory of the server when idle and per registered WebSocket client: bounded raw clients on loopback, no browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import ssl
import time
from pathlib import Path

from process import memory_bytes
from sip_servers import Account, Hearth

BINDINGS_PER_PERSON = 25


def digest(account: Account, method: str, uri: str, challenge: str) -> str:
    """An answer to the MD5 challenge among those offered (RFC 7616)."""
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    offer = next(line for line in re.findall(r"(?im)^www-authenticate: (.*)$", challenge) if "SHA-256" not in line)
    nonce, realm = (re.search(rf'{name}="([^"]+)"', offer)[1] for name in ("nonce", "realm"))
    cnonce = os.urandom(4).hex()
    secret = md5(f"{account.user}:{realm}:{account.password}")
    response = md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{md5(f'{method}:{uri}')}")
    return (f'Authorization: Digest username="{account.user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
            f'algorithm=MD5, cnonce="{cnonce}", nc=00000001, qop=auth\r\n')


def frame(text: bytes) -> bytes:
    """One masked text frame (RFC 6455 §5.2); a zero mask keeps the client cheap."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + text


async def read_frame(reader: asyncio.StreamReader) -> str:
    head = await reader.readexactly(2)
    size = head[1] & 127
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    body = await reader.readexactly(size)
    return body.decode() if head[0] & 15 in (1, 2) else await read_frame(reader)


def trusting() -> ssl.SSLContext:
    """TLS whose certificate nobody looks at: the memory of the server is what counts."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def register(account: Account, number: int, cseq: int, authorization: str = "") -> bytes:
    identity = f"urn:uuid:00000000-0000-4000-8000-{number:012x}"
    return (
        f"REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/WS c{number}.invalid;branch=z9hG4bK{os.urandom(6).hex()}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{account.user}@localhost>;tag={number}\r\nTo: <sip:{account.user}@localhost>\r\nCall-ID: {number}@bench\r\n"
        f"CSeq: {cseq} REGISTER\r\nContact: <sip:{account.user}@c{number}.invalid;transport=ws>;reg-id=1;+sip.instance=\"<{identity}>\"\r\n"
        f"Supported: path, outbound, gruu\r\nExpires: 3600\r\n{authorization}Content-Length: 0\r\n\r\n").encode()


async def client(server: Hearth, port: int, tls: ssl.SSLContext | None, number: int, account: Account) -> asyncio.StreamWriter:
    # 127.0.0.0/8 has addresses enough that no limit per address and no port range stands in the way.
    local = f"127.0.{1 + number // 200 // 250}.{1 + number // 200 % 250}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0), limit=16_384, ssl=tls)
    writer.write((
        f"GET /sip HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Protocol: sip\r\n\r\n").encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"client {number}: {head[:200]!r}")
    writer.write(frame(register(account, number, 1)))
    challenge = await read_frame(reader)
    writer.write(frame(register(account, number, 2, digest(account, "REGISTER", "sip:localhost", challenge))))
    answer = await read_frame(reader)
    if not answer.startswith("SIP/2.0 200"):
        raise RuntimeError(f"client {number}: {answer[:300]}")
    return writer


async def connect_all(server: Hearth, port: int, count: int, secure: bool) -> list[asyncio.StreamWriter]:
    gate = asyncio.Semaphore(100)
    tls = trusting() if secure else None

    async def one(number: int) -> asyncio.StreamWriter:
        async with gate:
            return await client(server, port, tls, number, server.accounts[number // BINDINGS_PER_PERSON])

    return await asyncio.gather(*(one(number) for number in range(count)))


def run(work: Path, binary: Path, count: int, secure: bool = False) -> None:
    folder = work / ("wss" if secure else "ws")
    folder.mkdir()
    flags = ["--https-port", "5384"] if secure else []
    server = Hearth(folder, binary, 5382, 5383, -(-count // BINDINGS_PER_PERSON), *flags)
    try:
        time.sleep(2)
        idle = memory_bytes(server.running.pid)

        async def measure() -> int:
            writers = await connect_all(server, 5384 if secure else server.http_port, count, secure)
            await asyncio.sleep(5)
            loaded = memory_bytes(server.running.pid)
            for writer in writers:
                writer.close()
            return loaded

        loaded = asyncio.run(measure())
        each = (loaded - idle) / count
        print(f"\nStart to ready: {server.seconds_to_ready * 1000:.0f} ms (data folder of {len(server.accounts)} people)")
        print(f"Memory: idle {idle / 1e6:.1f} MB  (bar: 40);  {count} registered WebSocket clients {'(TLS) ' if secure else ''}{each / 1000:.1f} KB each  (bar: 25)", flush=True)
    finally:
        server.running.stop()

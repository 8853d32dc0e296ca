"""How long a small question takes while the load runs, finer than SIPp's milliseconds: kernel time stamps of both ends."""

from __future__ import annotations

import socket
import struct
import threading
import time

SO_TIMESTAMPNS = 35
INTERVAL = 0.004


class Prober:
    """Asks a SIP server over UDP for a challenge (a REGISTER of a stranger, which every registrar answers with 401), 250 times a second."""

    def __init__(self, port: int) -> None:
        self.trips: list[float] = []
        self.lost = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(0.5)
        self.socket.connect(("127.0.0.1", port))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        number = 0
        while not self.ended.wait(INTERVAL):
            number += 1
            trip = self.ask(number)
            if trip is None:
                self.lost += 1
            else:
                self.trips.append(trip)

    def ask(self, number: int) -> float | None:
        """Milliseconds from the call that sends to the kernel's receipt of the answer."""
        port = self.socket.getsockname()[1]
        identity = f"{number}-{port}@prober"
        sent = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.socket.send((
            f"REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number}-{port};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:user0000@localhost>;tag={number}\r\nTo: <sip:user0000@localhost>\r\nCall-ID: {identity}\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:user0000@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n").encode())
        while True:
            try:
                answer, notes, _, _ = self.socket.recvmsg(65_536, 64)
            except (TimeoutError, ConnectionError):
                return None
            if identity.encode() not in answer:
                continue
            for level, kind, data in notes:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", data[:16])
                    return (seconds * 1_000_000_000 + nanoseconds - sent) / 1e6
            return None

    def percentile(self, share: float) -> float:
        trips = sorted(self.trips)
        return trips[min(len(trips) - 1, int(len(trips) * share))] if trips else float("nan")

    def __enter__(self) -> "Prober":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self.socket.close()

"""`hearth serve` as a real process on free loopback ports with a data folder of its own."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import joining

ROOT = Path(__file__).resolve().parents[3]


def binary() -> Path:
    """The build under test: HEARTH_BINARY, else the newest of the debug and release builds."""
    if "HEARTH_BINARY" in os.environ:
        return Path(os.environ["HEARTH_BINARY"])
    built = [path for path in (ROOT / ".build/debug/hearth", ROOT / ".build-release/release/hearth") if path.exists()]
    if not built:
        raise RuntimeError("no build of hearth: run `swift build` first")
    return max(built, key=lambda path: path.stat().st_mtime)


# Two runs side by side begin far apart.
_ports = itertools.count(os.getpid() * 64)


def await_end(process: subprocess.Popen, seconds: float = 10) -> None:
    """Waits for a process that was asked to end; one that does not is killed."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody has, for TCP and UDP. Below those the kernel gives to sockets that ask for any: one of these, closed again, may be a browser's the next moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = 12_000 + next(_ports) % 20_000
        with socket.socket(family, socket.SOCK_STREAM) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind((host, port))
                datagrams.bind((host, port))
                return port
            except OSError:
                continue


class Server:
    """One household's server. Ports stay the same over `restart()`."""

    def __init__(self, work: Path, *flags: str, https: bool = True, media: bool = False, host: str = "127.0.0.1") -> None:
        self.work, self.data, self.flags, self.host = work, work / "data", list(flags), host
        self.http_port, self.sip_port = free_port(host=host), free_port(host=host)
        self.https_port = free_port(host=host) if https else 0
        self.sips_port = free_port(host=host) if https else 0
        self.media_port = free_port(host=host) if media else 0
        self.log_file = work / "hearth.log"
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://{'[::1]' if self.host == '::1' else 'localhost'}:{self.http_port}"

    def sip(self, transport: str) -> str:
        """Where a native phone registers: address and port."""
        port = self.sips_port if transport == "tls" else self.sip_port
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.https_port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def start(self) -> None:
        mark = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as sink:
            self.process = subprocess.Popen(
                [str(binary()), "serve", "--data", str(self.data), "--listen", self.host,
                 "--http-port", str(self.http_port), "--https-port", str(self.https_port), "--sip-port", str(self.sip_port),
                 "--sips-port", str(self.sips_port), "--media-port", str(self.media_port), "--public-url", self.url, *self.flags],
                stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.wait_for(r"hearth: ready", since=mark)

    def wait_for(self, pattern: str, seconds: float = 20, since: int = 0) -> re.Match:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.log_file.read_bytes()[since:].decode(errors="replace")):
                return found
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the server's log never said {pattern!r}:\n{self.log[-4000:]}")

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ends the server; its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(10)

    def end(self) -> None:
        """At the end of the tests: it was still there, and goes as it should."""
        code = self.stop()
        assert code == 0, f"the server ended with {code}:\n{self.log[-3000:]}"

    def restart(self, how: int = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(binary()), *words, "--data", str(self.data)], capture_output=True, text=True, timeout=30)

    def command(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, f"hearth {' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout

    def owner_link(self) -> str:
        """The link that the first start printed."""
        return self.wait_for(r"(http\S+/join/\S+)")[1]

    def user_link(self, name: str, full_name: str | None = None) -> str:
        words = ["user", "add", name] + (["--full-name", full_name] if full_name else [])
        found = re.search(r"http\S+/join/\S+", self.command(*words))
        assert found
        return found[0]

    def join(self, name: str) -> None:
        """Makes a person without a browser; the first one is the owner."""
        if not json.loads(self.command("user", "list", "--json")):
            joining.join(self.url, self.owner_link(), user_name=name, full_name=name.capitalize())
        else:
            joining.join(self.url, self.user_link(name, name.capitalize()))

    def phone(self, name: str, label: str) -> dict:
        """The SIP account of a native phone: server, user, password."""
        account = json.loads(self.command("phone", "add", name, label, "--json"))
        self.wait_heard()
        return account

    def wait_heard(self) -> None:
        """The running server hears of what a command changed within a second (docs/operate.md), and says so nowhere."""
        time.sleep(1)

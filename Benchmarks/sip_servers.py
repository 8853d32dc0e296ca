"""The two SIP servers that are compared: Hearth and Debian's Kamailio, both with the same accounts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from process import Running

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Tests/Interop"))

from lab import joining  # noqa: E402


@dataclass(frozen=True)
class Account:
    """A person who may register: the SIP user name and the password of the native phone."""

    user: str
    password: str


class Kamailio:
    """One UDP worker, everything in memory, the fast allocator (Benchmarks/peers/kamailio.cfg)."""

    name = "Kamailio"

    def __init__(self, work: Path, port: int) -> None:
        self.port = port
        self.accounts: list[Account] = []
        config = work / "kamailio.cfg"
        config.write_text((HERE / "peers/kamailio.cfg").read_text().replace("PORT", str(port)))
        self.running = Running(
            ["kamailio", "-DD", "-E", "-f", str(config), "-x", "fm", "-m", "1024", "-M", "64", "-w", str(work)],
            work / "kamailio.log",
        )
        time.sleep(1.5)
        if self.running.process.poll() is not None:
            raise RuntimeError(self.running.log.read_text(errors="replace")[-2000:])

    def add_people(self, count: int) -> None:
        self.accounts = [Account(f"user{index:04}", "secret") for index in range(count)]


class Hearth:
    """`hearth serve` of the release build with a data folder of its own."""

    name = "Hearth"

    def __init__(self, work: Path, binary: Path, port: int, http_port: int, people: int = 0, *flags: str) -> None:
        self.port, self.http_port, self.binary, self.data = port, http_port, binary, work / "hearth-data"
        self.accounts: list[Account] = []
        self.running = Running(
            [str(binary), "serve", "--data", str(self.data), "--listen", "127.0.0.1", "--sip-port", str(port), "--sips-port", "0",
             "--http-port", str(http_port), "--https-port", "0", "--media-port", "0", *flags],
            work / "hearth.log",
            env=os.environ | {"HEARTH_LOG_LEVEL": "warning"},
        )
        try:
            self.seconds_to_ready = self.running.wait_for("hearth: ready")
            self.owner_link = re.search(r"http\S+/join/\S+", self.running.log.read_text())[0]
            if people:
                self.add_people(people)
        except BaseException:
            self.running.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://localhost:{self.http_port}"

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [str(self.binary), *words, "--data", str(self.data)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"hearth {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def add_people(self, count: int) -> None:
        def add(index: int) -> Account:
            user = f"user{index:04}"
            joining.join(self.url, self.command("user", "add", user), full_name=user)
            phone = json.loads(self.command("phone", "add", user, "Bench", "--json"))
            return Account(phone["user"], phone["password"])

        joining.join(self.url, self.owner_link, user_name="owner", full_name="Owner")
        with ThreadPoolExecutor(2) as pool:
            self.accounts += list(pool.map(add, range(len(self.accounts), len(self.accounts) + count)))

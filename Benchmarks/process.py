"""Processes the benchmarks start: what they cost in CPU and memory, and an end by process id."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """The process and everything it forked that still runs."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found += descendants(int(entry.name))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children, to the nanosecond (/proc/PID/task/TID/schedstat)."""
    total = 0
    for process in descendants(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def cpu_ticks(pid: int) -> tuple[int, int]:
    """User and system time of a process and its children, in the kernel's ticks: good for their ratio."""
    user = system = 0
    for process in descendants(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        user, system = user + int(fields[11]), system + int(fields[12])
    return user, system


def memory_bytes(pid: int) -> int:
    """Memory that would be free if the process ended: private pages plus its share of shared ones (PSS)."""
    total = 0
    for process in descendants(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


class Running:
    """A child process with its log in a file; ends it by its own process id."""

    def __init__(self, command: list[str], log: Path, **options) -> None:
        self.log = log
        self.started = time.monotonic()
        with open(log, "wb") as sink:
            self.process = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, **options
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, text: str, seconds: float = 30) -> float:
        """Waits until the log holds `text`; the seconds since the start."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in self.log.read_text(errors="replace"):
                return time.monotonic() - self.started
            if self.process.poll() is not None:
                break
            time.sleep(0.002)
        raise RuntimeError(f"no {text!r} in {seconds} s:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for the process group it leads."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(6)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

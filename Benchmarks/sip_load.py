"""SIPp as the load: registrations with digest and complete calls, counted in CPU of the server under test."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from process import Running, cpu_seconds, cpu_ticks
from prober import Prober

HERE = Path(__file__).parent
UAC_PORT, UAS_PORT = 5361, 5362
OVERLOADED = 1000


@dataclass
class Result:
    """One run at one rate."""

    rate: int
    came: float
    done: int
    failed: int
    retransmissions: int
    cpu_microseconds: float
    user_share: float
    p50_ms: float
    p99_ms: float

    @property
    def loss_free(self) -> bool:
        """Nothing failed, nothing was sent twice, and the load really came at nine tenths of its rate or more."""
        return self.failed == 0 and self.retransmissions == 0 and self.came >= 0.9 * self.rate


def polite() -> None:
    """The load runs at low priority, so that the server under test gets the processor it asks for."""
    os.nice(10)


def bounded(command: list[str], timeout: float, **options) -> int:
    """The exit status, or OVERLOADED where the command had to be ended."""
    try:
        return subprocess.run(command, timeout=timeout, **options).returncode
    except subprocess.TimeoutExpired:
        return OVERLOADED


def sipp(work: Path, server, scenario: str, calls: int, rate: int, rows: list[str], port: int, *extra: str) -> dict:
    """Runs one bounded SIPp to its end; returns its last statistics, and round trips of a prober beside it in ms."""
    name = f"{server.name.lower()}-{scenario}-{rate}"
    folder = work / name
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    table = folder / "rows"
    table.write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    before, ticks = cpu_seconds(server.running.pid), cpu_ticks(server.running.pid)
    prober = Prober(server.port)
    # Beyond what a server bears, SIPp repeats itself for minutes: that is an answer too.
    patience = calls / rate * 2 + 15
    with prober:
        done = bounded(
            ["sipp", f"127.0.0.1:{server.port}", "-sf", str(HERE / f"sipp/{scenario}.xml"), "-inf", str(table), "-i", "127.0.0.1",
             "-p", str(port), "-m", str(calls), "-r", str(rate), "-l", "20000", "-buff_size", "4000000", "-nostdin", "-timeout", "90",
             "-trace_stat", "-stf", str(folder / "stat.csv"), "-fd", "1", "-key", "contact_port", str(UAS_PORT), *extra],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=open(folder / "stderr", "w"), preexec_fn=polite, timeout=patience,
        )
    spent, now = cpu_seconds(server.running.pid) - before, cpu_ticks(server.running.pid)
    user, system = now[0] - ticks[0], now[1] - ticks[1]
    if done not in (0, 1, 97, OVERLOADED):
        raise RuntimeError(f"sipp {scenario}: exit {done}: {(folder / 'stderr').read_text()[-800:]}")
    with open(folder / "stat.csv") as stat:
        last = list(csv.DictReader(stat, delimiter=";"))[-1]
    return {
        "cpu": spent, "user": user / max(user + system, 1), "p50": prober.percentile(0.50), "p99": prober.percentile(0.99),
        "ok": int(last["SuccessfulCall(C)"]), "failed": int(last["FailedCall(C)"]) + (done == OVERLOADED),
        "came": float(last["CallRate(C)"]), "retransmissions": int(last["Retransmissions(C)"]),
    }


def result(rate: int, run: dict) -> Result:
    return Result(
        rate, run["came"], run["ok"], run["failed"], run["retransmissions"], run["cpu"] / max(run["ok"], 1) * 1e6, run["user"], run["p50"], run["p99"])


def credentials(account) -> str:
    return f"[authentication username={account.user} password={account.password}]"


def registrations(work: Path, server, rate: int, seconds: float) -> Result:
    rows = [f"{account.user};{credentials(account)}" for account in server.accounts]
    return result(rate, sipp(work, server, "register", int(rate * seconds), rate, rows, UAC_PORT))


def calls(work: Path, server, rate: int, seconds: float) -> Result:
    """Calls between registered people; the callees are one SIPp at the registered contact."""
    register = [f"{account.user};{credentials(account)}" for account in server.accounts]
    sipp(work, server, "register", len(register), 500, register, UAC_PORT)
    callees = list(server.accounts)
    random.Random(3261).shuffle(callees)
    rows = [f"{a.user};{b.user};{credentials(a)}" for a, b in zip(server.accounts, callees) if a.user != b.user]
    uas = Running(
        ["sipp", "-sf", str(HERE / "sipp/callee.xml"), "-i", "127.0.0.1", "-p", str(UAS_PORT), "-nostdin", "-buff_size", "4000000",
         "-l", "40000", "-timeout", "120"],
        work / "callee.log", preexec_fn=polite)
    with uas:
        time.sleep(0.5)
        return result(rate, sipp(work, server, "caller", int(rate * seconds), rate, rows, UAC_PORT))


def highest_rate(measure, start: int, ceiling: int) -> tuple[int, Result | None]:
    """The highest loss-free rate: doubling, then halving the gap until it is under 10 %."""
    good, best, bad = 0, None, ceiling + 1
    rate = start
    while rate <= ceiling and (not good or bad - good > good // 10):
        run = measure(rate)
        if run.loss_free:
            good, best = rate, run
            rate = min(rate * 2, ceiling) if bad > ceiling else (good + bad) // 2
            if good == ceiling:
                break
        else:
            bad = rate
            rate = (good + bad) // 2 if good else rate // 2
            if rate < start // 8:
                break
    return good, best

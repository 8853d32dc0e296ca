"""`make bench`: Hearth beside its peers, on one machine in one run. Prints a table; every figure has the peer's beside it."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import call_setup
import sip_load
import websocket_clients
from sip_servers import Hearth, Kamailio

ROOT = Path(__file__).parent.parent


def median(values: list[float]) -> float:
    return statistics.median(values)


def compare(title: str, unit: str, hearth: list, kamailio: list) -> None:
    ours, theirs = (median([run.cpu_microseconds for run in runs]) for runs in (hearth, kamailio))
    print(f"\n{title} ({hearth[0].rate}/s, median of {len(hearth)} runs, in turn)")
    for name, runs in (("Hearth", hearth), ("Kamailio", kamailio)):
        print(
            f"  {name:9} {median([run.cpu_microseconds for run in runs]):7.1f} µs CPU per {unit}"
            f" (user {median([run.cpu_microseconds * run.user_share for run in runs]):.1f},"
            f" system {median([run.cpu_microseconds * (1 - run.user_share) for run in runs]):.1f})"
            f"   a challenge beside it: p50 {median([run.p50_ms for run in runs]):.2f} ms, p99 {median([run.p99_ms for run in runs]):.2f} ms   failed {sum(run.failed for run in runs)}"
            f"   retransmitted {sum(run.retransmissions for run in runs)}", flush=True)
    print(f"  ratio     {ours / theirs:7.2f}  (bar: 1.00 or less)", flush=True)


def half_of_highest(work: Path, servers: list, load, start: int, title: str) -> int:
    """Finds each server's highest loss-free rate; half of the slower one's, where both are busy and neither is late."""
    print(f"\n{title}: highest loss-free rate", flush=True)
    found = []
    for server in servers:
        top, best = sip_load.highest_rate(lambda rate: load(work, server, rate, 3), start, 40_000)
        latency = f"p50 {best.p50_ms:.2f} ms, p99 {best.p99_ms:.2f} ms" if best else ""
        print(f"  {server.name:9} {top}/s   a challenge beside it: {latency}", flush=True)
        found.append(top)
    return max(min(found) // 2, start // 8)


def sip(work: Path, binary: Path, options: argparse.Namespace) -> None:
    servers = [Hearth(work, binary, 5380, http_port=5379, people=options.people), Kamailio(work, 5381)]
    try:
        servers[1].add_people(options.people)
        for title, unit, load, rate in (
            ("Registrations with digest", "registration", sip_load.registrations, options.register_rate),
            ("Complete calls with digest", "call", sip_load.calls, options.call_rate),
        ):
            if options.highest:
                rate = half_of_highest(work, servers, load, rate, title)
            runs: dict[str, list] = {server.name: [] for server in servers}
            for _ in range(options.runs):
                for server in servers:
                    runs[server.name].append(load(work, server, rate, options.seconds))
            compare(title, unit, runs["Hearth"], runs["Kamailio"])
    finally:
        for server in servers:
            server.running.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hearth", type=Path, default=ROOT / ".build-release/release/hearth")
    parser.add_argument("--only", choices=["sip", "websocket", "call-setup"], action="append")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--register-rate", type=int, default=4000, help="where the search for the highest rate begins, or the rate with --no-highest")
    parser.add_argument("--call-rate", type=int, default=800, help="the same for calls")
    parser.add_argument(
        "--highest", action=argparse.BooleanOptionalAction, default=True, help="compare at half of the slower server's highest rate")
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--secure-clients", type=int, default=2_000)
    options = parser.parse_args()
    parts = options.only or ["sip", "websocket", "call-setup"]
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        work = Path(folder)
        if "sip" in parts:
            sip(work, options.hearth, options)
        if "websocket" in parts:
            websocket_clients.run(work, options.hearth, options.clients)
            websocket_clients.run(work, options.hearth, options.secure_clients, secure=True)
        if "call-setup" in parts:
            call_setup.run(work, options.hearth, options.runs)


if __name__ == "__main__":
    main()

"""Native SIP phones: two baresips over each transport, SIPp as a scripted stranger, and a phone called from a browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab import sound
from lab.page import eventually
from lab.phones import Baresip, sipp
from lab.server import Server, await_end, free_port


def call_and_listen(server: Server, work: Path, transport: str) -> None:
    """Anna's phone calls Bob's, five seconds are heard in both directions, Bob hangs up."""
    played = work / "speech.wav"
    sound.make_sound(played, rate=8000)
    samples, rate = sound.read_wave(played)
    phones = [
        Baresip(work / name, server.phone(name, f"Desk {transport}"), server.sip(transport), transport, sound=played)
        for name in ("anna", "bob")
    ]
    anna, bob = phones
    try:
        for phone in phones:
            phone.wait_registered()
        anna.dial("sip:bob@localhost")
        for phone in phones:
            phone.wait_event("CALL_ESTABLISHED")
        eventually(lambda: bob.recording() and bob.recording().stat().st_size > 8000 * 2 * 5, "five seconds are heard", 20)
        bob.hang_up()
        anna.wait_event("CALL_CLOSED")
    finally:
        for phone in phones:
            phone.close()
    for phone in phones:
        recording = phone.recording()
        assert recording, phone.log[-2000:]
        heard, heard_rate = sound.read_wave(recording)
        assert sound.similarity(samples, sound.resample(heard, heard_rate, rate), rate) > 0.9


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_two_phones_call_each_other(server, tmp_path, transport):
    call_and_listen(server, tmp_path, transport)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_two_phones_call_each_other_over_ipv6(tmp_path_factory, tmp_path, transport):
    server = Server(tmp_path_factory.mktemp("ipv6"), host="::1")
    try:
        for name in ("anna", "bob"):
            server.join(name)
        call_and_listen(server, tmp_path, transport)
    finally:
        server.end()


def test_a_phone_survives_a_restart_of_the_server(server, tmp_path):
    """Its registration is on disk: it is called after the restart without having registered again."""
    bob = Baresip(tmp_path / "bob", server.phone("bob", "Kitchen"), server.sip("udp"))
    anna = None
    try:
        bob.wait_registered()
        server.restart()
        anna = Baresip(tmp_path / "anna", server.phone("anna", "Hall"), server.sip("udp"))
        anna.wait_registered()
        anna.dial("sip:bob@localhost")
        bob.wait_event("CALL_ESTABLISHED")
        server.restart()
        anna.hang_up()
        bob.wait_event("CALL_CLOSED")
    finally:
        for phone in filter(None, (anna, bob)):
            phone.close()


@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["UDP", "TCP"])
def test_sipp_calls_through_the_proxy(server, tmp_path, transport):
    """Registers a callee, calls it with digest, is answered, hangs up: a stack nobody here wrote."""
    anna, bob = server.phone("anna", f"SIPp {transport}"), server.phone("bob", f"SIPp {transport}")
    scripts = Path(__file__).parents[2] / "Benchmarks/sipp"
    target = server.sip("udp")

    def row(name: str, *fields: str) -> str:
        path = tmp_path / name
        path.write_text("SEQUENTIAL\n" + ";".join(fields) + "\n")
        return str(path)

    def login(account: dict) -> str:
        return f"[authentication username={account['user']} password={account['password']}]"

    callee_port = free_port()
    done = sipp(tmp_path / "register", scripts / "register.xml", target, "-t", "u1", "-m", "1", "-inf",
                row("register.csv", "bob", login(bob)), "-key", "contact_port", str(callee_port))
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr
    callee = subprocess.Popen(
        ["sipp", "-sf", str(scripts / "callee.xml"), "-i", "127.0.0.1", "-p", str(callee_port), "-t", "u1", "-m", "20", "-nostdin",
         "-timeout", "40"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        done = sipp(tmp_path / "call", scripts / "caller.xml", target, "-t", transport, "-m", "20", "-r", "10", "-inf",
                    row("call.csv", "anna", "bob", login(anna)))
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr
        assert callee.wait(10) == 0
    finally:
        await_end(callee, 0)


def test_a_browser_that_calls_a_phone_is_told_why_not(house, tmp_path):
    """Until browsers and phones are bridged: a clear refusal in words, at once, and the same the other way."""
    carol = None
    anna = house.person("anna")
    try:
        house.member("carol")
        carol = Baresip(tmp_path / "carol", house.server.phone("carol", "Desk"), house.server.sip("udp"))
        carol.wait_registered()
        anna.call("Carol")
        # A page of hers that has just closed is waited for four seconds.
        anna.wait_status("Call ended", seconds=12)
        assert "phone" in anna.text("status")
        carol.dial("sip:anna@localhost")
        closed = carol.wait_event("CALL_CLOSED", 5)
        assert "488" in closed.get("param", ""), closed
    finally:
        if carol:
            carol.close()
        house.close_pages()


def test_a_wrong_password_is_refused(tmp_path):
    server = Server(tmp_path)
    server.join("anna")
    account = server.phone("anna", "Wrong") | {"password": "not-the-password"}
    phone = Baresip(tmp_path / "phone", account, server.sip("udp"))
    try:
        phone.wait_refused()
    finally:
        phone.close()
        server.stop()


def test_a_removed_phone_is_refused(tmp_path):
    server = Server(tmp_path)
    server.join("anna")
    account = server.phone("anna", "Lost phone")
    server.command("phone", "remove", "anna", "Lost phone")
    server.wait_heard()
    phone = Baresip(tmp_path / "phone", account, server.sip("udp"))
    try:
        phone.wait_refused()
    finally:
        phone.close()
        server.stop()

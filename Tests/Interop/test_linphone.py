"""Linphone 5.1.65, whose TLS knows the household's authority and nothing else: what a careful phone asks of the server."""

from __future__ import annotations

import subprocess

from lab import sound
from lab.linphone import Linphone
from lab.page import eventually
from lab.phones import Baresip
from lab.server import Server


def authority(server: Server):
    return server.data / "tls/ca.pem"


def test_two_linphones_call_each_other_over_tls_that_they_verify(server, tmp_path):
    played = tmp_path / "speech.wav"
    sound.make_sound(played, rate=8000)
    samples, rate = sound.read_wave(played)
    address = f"localhost:{server.sips_port}"
    anna = Linphone(tmp_path / "anna", server.phone("anna", "Linphone"), address, "tls", authority(server), played)
    bob = Linphone(tmp_path / "bob", server.phone("bob", "Linphone"), address, "tls", authority(server), played, answer=True)
    phones = (anna, bob)
    try:
        for phone in phones:
            phone.wait_registered()
        anna.dial("sip:bob@localhost")
        for phone in phones:
            phone.wait_said("Media streams established")
        for phone in phones:
            # Written as it is heard: 16-bit samples, 48,000 a second.
            eventually(lambda: phone.recording.exists() and phone.recording.stat().st_size > 48_000 * 2 * 5, "five seconds are heard", 20)
        bob.hang_up()
        for phone in phones:
            phone.wait_said(r"Call 1 with \S+ ended")
    finally:
        for phone in phones:
            phone.close()
    for phone in phones:
        heard, heard_rate = sound.read_wave(phone.recording)
        assert sound.similarity(samples, sound.resample(heard, heard_rate, rate), rate) > 0.85


def test_a_phone_with_another_authority_turns_away(server, tmp_path):
    """And with the name of the server wrong, too: what the test above shows is really verified."""
    other = tmp_path / "other.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=Other",
         "-keyout", str(tmp_path / "other.key"), "-out", str(other)], check=True, capture_output=True)
    account = server.phone("anna", "Careful")
    for name, address, trusted in (("stranger", "localhost", other), ("wrong-name", "127.0.0.1", authority(server))):
        phone = Linphone(tmp_path / name, account, f"{address}:{server.sips_port}", "tls", trusted)
        try:
            phone.wait_log("SSL handshake failed : X509 - Certificate verification failed")
            assert "LinphoneRegistrationOk" not in phone.log
        finally:
            phone.close()


def test_linphone_over_tcp_calls_baresip_over_udp(server, tmp_path):
    anna = Linphone(tmp_path / "anna", server.phone("anna", "Hall"), server.sip("tcp"), "tcp", authority(server))
    bob = Baresip(tmp_path / "bob", server.phone("bob", "Kitchen"), server.sip("udp"))
    try:
        anna.wait_registered()
        bob.wait_registered()
        anna.dial("sip:bob@localhost")
        bob.wait_event("CALL_ESTABLISHED")
        anna.wait_said("Media streams established")
        anna.hang_up()
        bob.wait_event("CALL_CLOSED")
    finally:
        anna.close()
        bob.close()

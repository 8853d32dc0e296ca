"""The server goes and comes back: pages reconnect by themselves, calls do not even stutter, phones stay registered."""

from __future__ import annotations

import signal

import pytest

from lab.page import eventually


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_running_call_survives_a_restart(home, how):
    anna, bob = home.person("anna"), home.person("bob")
    anna.call("Bob", video=True)
    bob.answer("Anna", video=True)
    for page in (anna, bob):
        page.wait_media("video", count=10)

    home.server.stop(how)
    for page in (anna, bob):
        page.wait_media("audio", count=100)
        page.wait_media("video", count=20)
        lost = page.received("audio").get("packetsLost", 0)
        assert lost <= 2, f"{lost} packets of sound were lost"
    home.server.start()
    eventually(lambda: not anna.visible("status", "Reconnecting") and "Reconnecting" not in anna.text("status"), "the page is back", 40)
    eventually(lambda: "Reconnecting" not in bob.text("status"), "the other page is back", 40)

    # Re-offered afterwards: the dialog still works in both directions.
    anna.press("Turn camera off")
    anna.press("Turn camera on")
    bob.wait_media("video", count=10)
    bob.press("Turn camera off")
    bob.press("Turn camera on")
    anna.wait_media("video", count=10)
    bob.press("Hang up")
    anna.wait_status("Call ended", seconds=10)


def test_pages_can_be_called_after_a_restart(home):
    anna, bob = home.person("anna"), home.person("bob")
    home.server.restart()
    eventually(lambda: "Reconnecting" not in anna.text("status") and "Reconnecting" not in bob.text("status"), "both are back", 40)
    anna.call("Bob")
    bob.answer("Anna", seconds=30)
    bob.wait_media("audio")
    anna.press("Hang up")
    bob.wait_status("Call ended")


def test_stops_within_five_seconds(home):
    home.person("anna")
    assert home.server.stop(signal.SIGTERM) == 0
    home.server.start()

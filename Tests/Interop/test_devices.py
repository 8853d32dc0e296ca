"""Devices that go away in the middle of a call. Fake devices cannot be unplugged, so the track ends as it would then."""

from __future__ import annotations

import numpy

from lab.page import eventually

UNPLUG = """(kind) => {
  const { track } = window.connections.at(-1).getSenders().find((sender) => sender.track?.kind === kind);
  track.stop();
  track.dispatchEvent(new Event('ended'));
}"""
OFFERS = "() => window.connections.at(-1).getTransceivers().length + ' ' + window.connections.at(-1).localDescription.sdp"


def test_a_microphone_that_is_unplugged_is_replaced_and_heard(home):
    anna, bob = home.person("anna"), home.person("bob")
    anna.call("Bob")
    bob.answer("Anna")
    bob.wait_media("audio")
    eventually(lambda: numpy.abs(bob.listen(1)).max() > 0.05, "Anna is heard")
    before = anna.evaluate(OFFERS)
    anna.evaluate(UNPLUG, "audio")
    eventually(lambda: "microphone was unplugged" in anna.text("listitem"), "the page says so")
    eventually(lambda: numpy.abs(bob.listen(1)).max() > 0.05, "Anna is heard again")
    assert anna.evaluate(OFFERS) == before, "nothing was negotiated"
    anna.press("Hang up")
    bob.wait_status("Call ended")


def test_a_camera_that_is_unplugged_is_replaced_and_seen(home):
    anna, bob = home.person("anna"), home.person("bob")
    anna.call("Bob", video=True)
    bob.answer("Anna")
    bob.wait_media("video")
    anna.evaluate(UNPLUG, "video")
    bob.wait_media("video", count=30)
    anna.see("button", "Turn camera off")
    anna.press("Hang up")
    bob.wait_status("Call ended")

"""From pressing `Video call` to the first decoded remote frame, beside the floor: two bare RTCPeerConnections in one page."""

from __future__ import annotations

import re
import statistics
import sys
from pathlib import Path

from sip_servers import Hearth

FLOOR = """async () => {
  const started = performance.now();
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
  const video = document.createElement('video');
  video.muted = true;
  const framed = new Promise((done) => { video.requestVideoFrameCallback(() => done(performance.now() - started)); });
  a.ontrack = ({ track }) => { if (track.kind === 'video') { video.srcObject = new MediaStream([track]); video.play(); } };
  const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of devices.getTracks()) a.addTrack(track, devices);
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  const answering = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of answering.getTracks()) b.addTrack(track, answering);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  const elapsed = await framed;
  for (const connection of [a, b]) connection.close();
  for (const track of [...devices.getTracks(), ...answering.getTracks()]) track.stop();
  return elapsed;
}"""

# The callee answers in the same instant in which the page shows the button: people are not what is measured.
AUTO_ANSWER = """() => {
  new MutationObserver(() => {
    const button = [...document.querySelectorAll('[role=alertdialog] button')].find((one) => one.textContent.trim() === 'Answer with video');
    if (button && !button.dataset.pressed) { button.dataset.pressed = 'yes'; button.click(); }
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""

PRESS = """async () => {
  const button = [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === 'Video call');
  const started = performance.now();
  button.click();
  for (;;) {
    const remote = [...document.querySelectorAll('video')].find((video) => video.srcObject?.getVideoTracks().length && !video.muted);
    if (remote) return await new Promise((done) => remote.requestVideoFrameCallback(() => done(performance.now() - started)));
    await new Promise((done) => setTimeout(done, 2));
  }
}"""


def at_home(link: str) -> str:
    """The join link at the port of this benchmark's server."""
    return "http://localhost:5385/join/" + link.split("/join/")[1]


def run(work: Path, binary: Path, runs: int) -> None:
    from playwright.sync_api import sync_playwright

    from lab.chromium import ChromiumPage, launch

    folder = work / "call-setup"
    folder.mkdir()
    server = Hearth(folder, binary, 5384, http_port=5385)
    try:
        links = [server.owner_link, re.search(r"http\S+/join/\S+", server.command("user", "add", "bob", "--full-name", "Bob"))[0]]
        with sync_playwright() as playwright, launch(playwright) as browser:
            anna, bob, bare = (ChromiumPage(browser) for _ in range(3))
            anna.join(at_home(links[0]), user_name="anna", full_name="Anna")
            bob.join(at_home(links[1]))
            bare.goto("http://localhost:5385/healthz")
            bob.evaluate(AUTO_ANSWER)
            anna.open_person("Bob")
            floor, ours = [], []
            for _ in range(runs + 1):
                floor.append(bare.evaluate(FLOOR))
                ours.append(anna.evaluate(PRESS))
                anna.press("Hang up")
                anna.wait_status("Call ended")
                bob.gone("button", "Hang up")
                anna.see("button", "Video call")
            floor, ours = statistics.median(floor[1:]), statistics.median(ours[1:])
            print(f"\nFrom pressing Video call to the first decoded remote frame (median of {runs}): {ours:.0f} ms"
                  f"   floor {floor:.0f} ms   difference {ours - floor:.0f} ms  (bar: 150)", flush=True)
    finally:
        server.running.stop()



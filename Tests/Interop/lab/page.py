"""One person's browser page, driven by the roles and names a screen reader would use. Chromium and Firefox look the same."""

from __future__ import annotations

import base64
import json
import time
from abc import ABC, abstractmethod

import numpy

PASSWORD = "correct horse battery staple"

# Keeps every RTCPeerConnection of the page, so that a test can ask it for statistics as chrome://webrtc-internals does.
SPY = """
window.connections = [];
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(...words) { super(...words); window.connections.push(this); }
};
"""

# For correlation the sound must not be improved on its way into the microphone.
RAW_MICROPHONE = """
const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => {
  if (wanted.audio) wanted = { ...wanted, audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };
  return original(wanted);
};
"""

STATISTICS = """async () => {
  const open = window.connections.filter((pc) => pc.connectionState !== 'closed');
  const reports = [];
  for (const pc of open) for (const report of (await pc.getStats()).values()) reports.push(report);
  return JSON.stringify(reports);
}"""

LISTEN = """async (seconds) => {
  const element = [...document.querySelectorAll('audio,video')].find((media) =>
    !media.muted && media.srcObject?.getAudioTracks().length);
  if (!element) throw new Error('no media element plays remote sound');
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const source = context.createMediaStreamSource(element.srcObject);
  const tap = context.createScriptProcessor(4096, 1, 1);
  const parts = [];
  tap.onaudioprocess = (event) => parts.push(new Float32Array(event.inputBuffer.getChannelData(0)));
  source.connect(tap);
  tap.connect(context.destination);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  tap.disconnect();
  source.disconnect();
  await context.close();
  const samples = new Int16Array(parts.length * 4096);
  parts.forEach((part, index) => part.forEach((value, offset) => { samples[index * 4096 + offset] = value * 32767; }));
  const bytes = new Uint8Array(samples.buffer);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


# Firefox runs no AudioContext without a sound device: it records, and another page decodes.
RECORD = """async (seconds) => {
  const element = [...document.querySelectorAll('audio,video')].find((media) =>
    !media.muted && media.srcObject?.getAudioTracks().length);
  if (!element) throw new Error('no media element plays remote sound');
  const recorder = new MediaRecorder(new MediaStream(element.srcObject.getAudioTracks()), { audioBitsPerSecond: 128000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.start();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""

DECODE = """async (recording) => {
  const encoded = Uint8Array.from(atob(recording), (one) => one.charCodeAt(0));
  const context = new OfflineAudioContext(1, 48000, 48000);
  const sound = (await context.decodeAudioData(encoded.buffer)).getChannelData(0);
  const bytes = new Uint8Array(Int16Array.from(sound, (value) => value * 32767).buffer);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


def eventually(check, what: str, seconds: float = 10):
    """Waits until `check()` is true; its value. A condition, never a fixed sleep."""
    deadline = time.monotonic() + seconds
    value = None
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s (last: {value!r})")


class Page(ABC):
    """What a person does in a page, by role and accessible name."""

    browser: str

    @abstractmethod
    def goto(self, url: str) -> None: ...
    @abstractmethod
    def evaluate(self, function: str, argument=None): ...
    @abstractmethod
    def visible(self, role: str, name: str | None = None, exact: bool = True) -> bool: ...
    @abstractmethod
    def press(self, name: str, role: str = "button", seconds: float = 10) -> None: ...
    @abstractmethod
    def fill(self, label: str, text: str) -> None: ...
    @abstractmethod
    def text(self, role: str, name: str | None = None) -> str: ...
    @abstractmethod
    def close(self) -> None: ...

    def see(self, role: str, name: str | None = None, seconds: float = 10, exact: bool = True) -> None:
        eventually(lambda: self.visible(role, name, exact), f"{self.browser} shows {role} {name!r}", seconds)

    def gone(self, role: str, name: str | None = None, seconds: float = 10, exact: bool = True) -> None:
        eventually(lambda: not self.visible(role, name, exact), f"{self.browser} hides {role} {name!r}", seconds)

    def wait_status(self, words: str, seconds: float = 15) -> None:
        eventually(lambda: words in self.text("status"), f"{self.browser} status says {words!r}", seconds)

    # Journeys

    def join(self, link: str, user_name: str | None = None, full_name: str | None = None, password: str = PASSWORD) -> str:
        """Opens a join link, chooses a password; the recovery code that was shown."""
        self.goto(link)
        self.see("button", "Join")
        if user_name:
            self.fill("User name", user_name)
        if full_name:
            self.fill("Full name", full_name)
        self.fill("Choose a password", password)
        self.press("Join")
        self.see("button", "I have kept it safe", seconds=30)
        code = self.evaluate("() => document.querySelector('[data-recovery-code]').textContent.trim()")
        self.press("I have kept it safe")
        self.see("button", "Sign out")
        return code

    def sign_in(self, url: str, user_name: str, password: str = PASSWORD) -> None:
        self.goto(url)
        self.see("button", "Sign in")
        self.fill("User name", user_name)
        self.fill("Password", password)
        self.press("Sign in")

    def open_person(self, name: str) -> None:
        self.press(name, role="link")
        self.see("button", "Call")

    def call(self, name: str, video: bool = False) -> None:
        self.open_person(name)
        self.press("Video call" if video else "Call")

    def answer(self, caller: str, video: bool = False, seconds: float = 15) -> None:
        self.see("alertdialog", f"{caller} is calling", seconds)
        self.press("Answer with video" if video else "Answer")

    # What the call is really doing

    def statistics(self, kind: str | None = None) -> list[dict]:
        reports = json.loads(self.evaluate(STATISTICS))
        return [report for report in reports if kind is None or report["type"] == kind]

    def received(self, kind: str) -> dict:
        """The inbound RTP statistics of one media kind, with zeros where nothing arrived."""
        inbound = [report for report in self.statistics("inbound-rtp") if report.get("kind") == kind]
        best = max(inbound, key=lambda report: report.get("packetsReceived", 0), default={})
        return {"packetsReceived": 0, "framesDecoded": 0, "bytesReceived": 0} | best

    def wait_media(self, kind: str, count: int = 25, seconds: float = 20) -> None:
        """Waits until `count` more packets (audio) or decoded frames (video) arrive than there were."""
        field = "framesDecoded" if kind == "video" else "packetsReceived"
        start = self.received(kind)[field]
        eventually(lambda: self.received(kind)[field] >= start + count, f"{self.browser} receives {kind}", seconds)

    def listen(self, seconds: float = 4, decoder: "Page | None" = None) -> numpy.ndarray:
        """What the person hears, 48 kHz mono. Firefox needs a Chromium page as decoder of its recording."""
        samples = decoder.evaluate(DECODE, self.evaluate(RECORD, seconds)) if decoder else self.evaluate(LISTEN, seconds)
        return numpy.frombuffer(base64.b64decode(samples), dtype="<i2").astype(float) / 32768

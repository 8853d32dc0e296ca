"""Native SIP phones and load: baresip as two people's softphones, SIPp as a scripted stranger."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from pathlib import Path

from .page import eventually
from .server import await_end, free_port
from .sound import make_sound


class Baresip:
    """One baresip with one account; remote control by `ctrl_tcp` (netstrings of JSON). Records what it hears."""

    def __init__(self, work: Path, account: dict, server: str, transport: str = "udp", sound: Path | None = None, answer: bool = True) -> None:
        self.home = work
        self.home.mkdir(parents=True, exist_ok=True)
        own = "::1" if server.startswith("[") else "127.0.0.1"
        self.control_port, sip_port = free_port(), free_port(host=own)
        if sound is None:
            sound = self.home / "microphone.wav"
            make_sound(sound, rate=8000)
        (self.home / "config").write_text("\n".join([
            "poll_method epoll", f"sip_listen {f'[{own}]' if own == '::1' else own}:{sip_port}", "call_local_timeout 120", "call_max_calls 4",
            f"audio_source aufile,{sound}", "audio_player aubridge,nil", "audio_alert aubridge,nil",
            "ausrc_srate 8000", "auplay_srate 8000", "audio_path /usr/share/baresip", f"net_interface {own}", "sip_verify_server no",
            f"ctrl_tcp_listen 127.0.0.1:{self.control_port}", f"snd_path {self.home}", "module_path /usr/lib/baresip/modules",
            "module g711.so", "module aufile.so", "module aubridge.so", "module sndfile.so",
            "module_app account.so", "module_app menu.so", "module_app ctrl_tcp.so", "",
        ]))
        (self.home / "accounts").write_text(
            f"<sip:{account['user']}@localhost;transport={transport}>;auth_pass={account['password']}"
            f";outbound=\"sip:{server};transport={transport}\";regint=600;audio_codecs=PCMU/8000/1"
            f";answermode={'auto' if answer else 'manual'}\n")
        (self.home / "contacts").write_text("")
        self.log_file = self.home / "log"
        with open(self.log_file, "wb") as sink:
            self.process = subprocess.Popen(
                ["baresip", "-f", str(self.home), "-v"] + (["-6"] if own == "::1" else []), stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.home)
        self.control = self._connect()
        self.events: list[dict] = []
        self._buffer = b""

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def _connect(self) -> socket.socket:
        def attempt():
            try:
                return socket.create_connection(("127.0.0.1", self.control_port), 1)
            except OSError:
                return None

        connection = eventually(attempt, f"baresip opens its control port\n{self.log}", 10)
        connection.settimeout(0.05)
        return connection

    def poll(self) -> list[dict]:
        """Everything baresip has told so far: events (REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, …) and answers."""
        try:
            while part := self.control.recv(65536):
                self._buffer += part
        except (TimeoutError, OSError):
            pass
        while b":" in self._buffer:
            length, rest = self._buffer.split(b":", 1)
            if len(rest) < int(length) + 1:
                break
            self.events.append(json.loads(rest[: int(length)]))
            self._buffer = rest[int(length) + 1 :]
        return self.events

    def command(self, command: str, params: str = "") -> None:
        text = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.control.sendall(f"{len(text)}:".encode() + text + b",")

    def wait_event(self, kind: str, seconds: float = 15) -> dict:
        return eventually(
            lambda: next((event for event in self.poll() if event.get("type") == kind), None), f"baresip tells {kind}\n{self.log[-1500:]}", seconds)

    def wait_log(self, pattern: str, seconds: float = 15) -> str:
        """Waits until baresip's log says so: what happened before the control connection stood is only there."""
        return eventually(lambda: (found := re.search(pattern, self.log)) and found[0], f"baresip's log says {pattern}\n{self.log[-800:]}", seconds)

    def wait_registered(self) -> None:
        self.wait_log(r"@localhost: \{.*\} 200 OK .*\[\d+ binding")

    def wait_refused(self) -> None:
        """Refused with a status, and never registered."""
        self.wait_log(r"reg: \S+: (401|403|503) ")
        assert " 200 OK " not in self.log, self.log

    def forget_events(self) -> None:
        self.poll()
        self.events.clear()

    def dial(self, uri: str) -> None:
        self.command("dial", uri)

    def hang_up(self) -> None:
        self.command("hangup")

    def recording(self) -> Path | None:
        """The decoded sound of the last call; complete after `close()`."""
        files = sorted(self.home.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        return files[-1] if files else None

    def close(self) -> None:
        """A clean end: baresip finishes its recordings only then."""
        if self.process.poll() is None:
            try:
                self.command("quit")
                self.process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                self.process.terminate()
                await_end(self.process, 5)


def sipp(work: Path, scenario: Path, target: str, *extra: str, seconds: int = 30) -> subprocess.CompletedProcess:
    """One bounded SIPp run; its exit code is 0 when every call went as the scenario says."""
    work.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["sipp", target, "-sf", str(scenario), "-i", "127.0.0.1", "-nostdin", "-timeout", str(seconds), "-timeout_error",
         "-trace_err", "-error_file", str(work / "errors.log"), *extra],
        cwd=work, capture_output=True, text=True, timeout=seconds + 15)

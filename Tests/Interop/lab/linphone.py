"""Linphone's console as a softphone: another SIP stack than baresip's, and one that looks at the server's certificate."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from .page import eventually
from .server import await_end

CONFIGURATION = """
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
root_ca={authority}
verify_server_certs=1
verify_server_cn=1
default_proxy=0

[net]
firewall_policy=0

[rtp]
audio_rtp_port=-1

[sound]
echocancellation=0

[auth_info_0]
username={user}
passwd={password}
realm=localhost
domain=localhost

[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport}>
reg_identity=sip:{user}@localhost
reg_expires=600
reg_sendregister=1
publish=0
"""


class Linphone:
    """One linphonec. It reads commands from a terminal only, so it gets one."""

    def __init__(
        self, work: Path, account: dict, server: str, transport: str, authority: Path, sound: Path | None = None, answer: bool = False
    ) -> None:
        self.recording = work / "heard.wav"
        (work / ".local/share/linphone").mkdir(parents=True)
        (work / "settings").write_text(CONFIGURATION.format(
            authority=authority, server=server, transport=transport, user=account["user"], password=account["password"]))
        self.log_file = work / "log"
        self._terminal, inside = pty.openpty()
        os.set_blocking(self._terminal, False)
        self._said = ""
        self.process = subprocess.Popen(
            ["linphonec", "-c", str(work / "settings"), "-d", "5", "-l", str(self.log_file)] + (["-a"] if answer else []),
            stdin=inside, stdout=inside, stderr=inside, cwd=work, env=os.environ | {"HOME": str(work), "TERM": "dumb"})
        os.close(inside)
        if sound:
            for line in ("soundcard use files", f"play {sound}", f"record {self.recording}"):
                self.command(line)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def say(self) -> str:
        """Everything it has written to its terminal so far."""
        try:
            while part := os.read(self._terminal, 65536):
                self._said += part.decode(errors="replace")
        except OSError:
            pass
        return self._said

    def command(self, line: str) -> None:
        self.say()
        os.write(self._terminal, f"{line}\n".encode())

    def wait_said(self, pattern: str, seconds: float = 20) -> None:
        eventually(lambda: re.search(pattern, self.say()), f"linphone says {pattern}\n{self.say()[-800:]}\n{self.log[-2000:]}", seconds)

    def wait_log(self, pattern: str, seconds: float = 20) -> None:
        eventually(lambda: re.search(pattern, self.log), f"linphone's log says {pattern}\n{self.log[-2000:]}", seconds)

    def wait_registered(self) -> None:
        self.wait_log(r"moving from state \[\w+\] to \[LinphoneRegistrationOk\]")

    def dial(self, uri: str) -> None:
        self.command(f"call {uri}")

    def hang_up(self) -> None:
        self.command("terminate")

    def close(self) -> None:
        if self.process.poll() is None:
            self.command("quit")
            await_end(self.process)
        os.close(self._terminal)

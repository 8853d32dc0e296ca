"""Debian's Firefox ESR through Marionette, with fake devices and no prompts."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from marionette_driver.errors import JavascriptException, MarionetteException
from marionette_driver.marionette import Marionette

from .page import SPY, Page, eventually
from .server import await_end, free_port

PREFERENCES = {
    "media.navigator.streams.fake": True, "media.navigator.permission.disabled": True, "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False, "media.autoplay.default": 0, "permissions.default.camera": 1,
    "permissions.default.microphone": 1, "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
    "browser.aboutwelcome.enabled": False, "toolkit.telemetry.enabled": False, "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "media.gmp-manager.updateEnabled": False, "extensions.update.enabled": False, "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False, "services.settings.server": "data:,",
}

# Elements of a role by accessible name, as far as this page needs: what Playwright's get_by_role does for Chromium.
FIND = """
const SELECTORS = {
  button: 'button,[role=button]', link: 'a[href],[role=link]', list: 'ul,ol,[role=list]', listitem: 'li,[role=listitem]',
  textbox: 'input:not([type]),input[type=text],input[type=password],textarea,[role=textbox]', status: 'output,[role=status]',
  alertdialog: '[role=alertdialog]', dialog: 'dialog:not([role]),[role=dialog]', heading: 'h1,h2,h3,h4', alert: '[role=alert]',
};
const nameOf = (element) => {
  const by = element.getAttribute('aria-labelledby');
  if (by) return by.split(/\\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  if (element.getAttribute('aria-label')) return element.getAttribute('aria-label').trim();
  if (element.labels?.length) return element.labels[0].textContent.trim();
  return element.textContent.replace(/\\s+/g, ' ').trim();
};
const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true });
const find = (role, name, exact = true) => [...document.querySelectorAll(SELECTORS[role])].filter((element) =>
  shown(element) && (name == null || (exact ? nameOf(element) === name : nameOf(element).includes(name))));
"""


class FirefoxPage(Page):
    """A Firefox of its own: one process, one profile, one page."""

    browser = "Firefox"

    def __init__(self) -> None:
        self.profile = Path(tempfile.mkdtemp(prefix="hearth-firefox-"))
        port = free_port()
        preferences = PREFERENCES | {"marionette.port": port}
        (self.profile / "user.js").write_text(
            "".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in preferences.items()))
        self.process = subprocess.Popen(
            ["firefox-esr", "-marionette", "-headless", "-no-remote", "-profile", str(self.profile)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            env={"HOME": str(self.profile), "PATH": "/usr/bin:/bin", "MOZ_DISABLE_CONTENT_SANDBOX": "1"})
        self.marionette = Marionette(host="127.0.0.1", port=port)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.marionette.start_session({"acceptInsecureCerts": True})
                break
            except (MarionetteException, OSError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.2)
        self.marionette.timeout.script = 60

    def goto(self, url: str) -> None:
        self.marionette.navigate(url)
        # Peer connections are made on a press, so a spy after loading is in time.
        self._run(SPY)

    def _run(self, body: str, arguments: tuple = ()):
        return self.marionette.execute_script(body, script_args=arguments, sandbox=None, new_sandbox=False)

    def evaluate(self, function: str, argument=None):
        result = self.marionette.execute_async_script(
            f"const done = arguments[arguments.length - 1]; Promise.resolve(({function})(arguments[0]))"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }));",
            script_args=(argument,), sandbox=None, new_sandbox=False)
        assert "error" not in result, result["error"]
        return result.get("value")

    def visible(self, role: str, name: str | None = None, exact: bool = True) -> bool:
        try:
            return bool(self._run(FIND + "return find(arguments[0], arguments[1], arguments[2]).length > 0;", (role, name, exact)))
        except JavascriptException:
            return False

    def press(self, name: str, role: str = "button", seconds: float = 10) -> None:
        eventually(lambda: self.visible(role, name), f"Firefox shows {role} {name!r}", seconds)
        self._run(FIND + "const [found] = find(arguments[0], arguments[1]); found.focus(); found.click();", (role, name))

    def fill(self, label: str, text: str) -> None:
        eventually(lambda: self.visible("textbox", label), f"Firefox shows a field {label!r}")
        self._run(
            FIND + "const [field] = find('textbox', arguments[0]); field.focus(); field.value = arguments[1];"
            "field.dispatchEvent(new Event('input', { bubbles: true })); field.dispatchEvent(new Event('change', { bubbles: true }));",
            (label, text))

    def text(self, role: str, name: str | None = None) -> str:
        return self._run(
            FIND + "return find(arguments[0], arguments[1]).map((element) => element.innerText).join(' | ');", (role, name)) or ""

    def close(self) -> None:
        try:
            self.marionette.delete_session()
        except (MarionetteException, OSError):
            pass
        self.process.terminate()
        await_end(self.process)
        shutil.rmtree(self.profile, ignore_errors=True)

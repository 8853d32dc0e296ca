"""Debian's Chromium through Playwright, with fake devices and no prompts."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Playwright

from .page import RAW_MICROPHONE, SPY, Page

FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required", "--ignore-certificate-errors", "--disable-features=WebRtcHideLocalIpsWithMdns",
]


@contextmanager
def launch(playwright: Playwright, microphone: Path | None = None):
    flags = FLAGS + ([f"--use-file-for-fake-audio-capture={microphone}"] if microphone else [])
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=flags)
    try:
        yield browser
    finally:
        browser.close()


class ChromiumPage(Page):
    browser = "Chromium"

    def __init__(self, browser: Browser, raw_microphone: bool = False, context: BrowserContext | None = None, **options) -> None:
        self.context = context or browser.new_context(permissions=["camera", "microphone"], **options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if "Content Security Policy" in line.text else None)
        self.page.add_init_script(SPY + (RAW_MICROPHONE if raw_microphone else ""))

    def second_tab(self) -> "ChromiumPage":
        return ChromiumPage(self.page.context.browser, context=self.context)

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, function: str, argument=None):
        return self.page.evaluate(function, argument)

    def _find(self, role: str, name: str | None, exact: bool = True):
        if role == "status" and name is None:
            return self.page.get_by_role("status")
        return self.page.get_by_role(role, name=name, exact=exact) if name else self.page.get_by_role(role)

    def visible(self, role: str, name: str | None = None, exact: bool = True) -> bool:
        found = self._find(role, name, exact)
        return any(found.nth(index).is_visible() for index in range(found.count()))

    def press(self, name: str, role: str = "button", seconds: float = 10) -> None:
        self._find(role, name).first.click(timeout=seconds * 1000)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)

    def text(self, role: str, name: str | None = None) -> str:
        try:
            return " | ".join(self._find(role, name).all_inner_texts())
        except Error:
            return ""

    def close(self) -> None:
        self.page.close()
        if not self.context.pages:
            self.context.close()

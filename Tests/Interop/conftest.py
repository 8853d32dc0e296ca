"""Fixtures: a household's server per module, with people as pages or by name alone, browsers per session. HEARTH_BINARY names the build."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from playwright.sync_api import Playwright, sync_playwright  # noqa: E402

from lab.chromium import ChromiumPage, launch  # noqa: E402
from lab.firefox import FirefoxPage  # noqa: E402
from lab.page import PASSWORD, Page  # noqa: E402
from lab.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright):
    with launch(playwright) as browser:
        yield browser


@dataclass
class Household:
    """A server with Anna, its owner, and Bob; pages of theirs on request."""

    server: Server
    chromium: object
    links: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    pages: list[Page] = field(default_factory=list)
    firefoxes: list[FirefoxPage] = field(default_factory=list)

    def page(self, browser: str = "chromium", **options) -> Page:
        """A new device: its own cookies and storage."""
        if browser == "firefox":
            idle = [firefox for firefox in self.firefoxes if firefox not in self.pages]
            page = idle[0] if idle else FirefoxPage()
            if not idle:
                self.firefoxes.append(page)
            else:
                page.goto(self.server.url)
                page.marionette.delete_all_cookies()
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); return 1; }")
        else:
            page = ChromiumPage(options.pop("in_browser", self.chromium), **options)
        self.pages.append(page)
        return page

    def person(self, name: str, browser: str = "chromium", **options) -> Page:
        """A page where `name` ("anna", the owner, or another) is signed in and can be called."""
        page = self.page(browser, **options)
        if name in self.joined:
            page.sign_in(self.server.url, name)
        elif name == "anna":
            page.join(self.server.owner_link(), user_name="anna", full_name="Anna")
        else:
            page.join(self.server.user_link(name, name.capitalize()))
        self.joined.add(name)
        page.see("button", "Sign out")
        return page

    def member(self, name: str) -> None:
        """Makes sure that `name` has joined, and opens no page that stays."""
        if name not in self.joined:
            self.person(name)
            self.pages.pop().close()

    def close_pages(self) -> None:
        for page in self.pages:
            if isinstance(page, FirefoxPage):
                page.goto("about:blank")
            else:
                page.close()
        self.pages.clear()

    def close(self) -> None:
        self.close_pages()
        for firefox in self.firefoxes:
            firefox.close()
        self.server.end()


@pytest.fixture(scope="module")
def house(tmp_path_factory, chromium) -> Iterator[Household]:
    """One household for a test module: starting is cheap, but keys and joins take a second each."""
    household = Household(Server(tmp_path_factory.mktemp("hearth")), chromium)
    try:
        yield household
    finally:
        household.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server with Anna, its owner, and Bob, who joined without a browser: for telephones and strangers."""
    running = Server(tmp_path_factory.mktemp("hearth"))
    for name in ("anna", "bob"):
        running.join(name)
    yield running
    running.end()


@pytest.fixture
def home(house: Household) -> Iterator[Household]:
    """The module's household with no page open at the start and none left at the end."""
    yield house
    errors = [error for page in house.pages if isinstance(page, ChromiumPage) for error in page.errors]
    house.close_pages()
    assert not errors, f"the page had errors: {errors}"


__all__ = ["PASSWORD", "Household"]

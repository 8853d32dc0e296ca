"""Joining, signing in and out, a second device, the recovery code, and links the owner makes in the page."""

from __future__ import annotations

import json
import re

import pytest

from lab.page import PASSWORD, eventually


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_join_sign_out_sign_in_elsewhere(home, browser):
    name = f"carla-{browser}"
    page = home.page(browser)
    code = page.join(home.server.user_link(name, "Carla"))
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}[- ]){5}[0-9A-HJKMNP-TV-Z]{4}", code), code
    page.press("Sign out")
    page.see("button", "Sign in")
    page.sign_in(home.server.url, name, "not the password")
    page.see("alert")
    page.sign_in(home.server.url, name)
    page.see("button", "Sign out")
    page.goto(home.server.url)
    page.see("button", "Sign out")

    other = home.page("chromium")
    other.sign_in(home.server.url, name)
    other.see("button", "Sign out")


def test_a_join_link_works_once(home):
    link = home.server.user_link("dora")
    home.page().join(link)
    second = home.page()
    second.goto(link)
    second.see("alert")
    assert "used" in second.text("alert")
    unknown = home.page()
    unknown.goto(home.server.url + "/join/" + "A" * 43)
    unknown.see("alert")


def test_the_recovery_code_opens_an_account_whose_password_was_forgotten(home):
    page = home.page()
    code = page.join(home.server.user_link("emil"))
    page.press("Sign out")
    page.see("button", "Sign in")
    page.press("Forgot your password?")
    page.fill("User name", "emil")
    page.fill("Recovery code", code.lower().replace("-", " "))
    page.fill("Choose a new password", "another good password")
    page.press("Set new password")
    page.see("button", "I have kept it safe", seconds=30)
    page.press("I have kept it safe")
    page.see("button", "Sign out")
    page.press("Sign out")
    page.see("button", "Sign in")
    page.sign_in(home.server.url, "emil", PASSWORD)
    page.see("alert")
    page.sign_in(home.server.url, "emil", "another good password")
    page.see("button", "Sign out")


def test_a_wrong_recovery_code_is_refused_in_words(home):
    page = home.page()
    page.join(home.server.user_link("frida"))
    page.press("Sign out")
    page.press("Forgot your password?")
    page.fill("User name", "frida")
    page.fill("Recovery code", "0000-0000-0000-0000-0000-0000")
    page.fill("Choose a new password", "another good password")
    page.press("Set new password")
    page.see("alert", seconds=30)
    assert page.text("alert")


def test_the_owner_makes_a_link_in_the_page(home):
    anna = home.person("anna")
    anna.press("Invite someone")
    anna.fill("User name", "gina")
    anna.press("Make the link")
    link = eventually(
        lambda: anna.evaluate("() => document.querySelector('[data-join-link]')?.textContent || document.querySelector('[data-join-link]')?.value"),
        "a link is shown")
    gina = home.page()
    gina.join(link.strip())


def test_a_user_name_is_proposed_and_what_is_typed_stays(home):
    anna = home.person("anna")
    for full_name, typed, expected in (("Hanna Ek", None, "hanna"), ("Zoë Ek", "zoe-ek", "zoe-ek")):
        anna.press("Invite someone")
        if typed:
            anna.fill("User name", typed)
        anna.fill("Full name", full_name)
        anna.press("Make the link")
        anna.see("heading", f"The link for {full_name}")
        assert any(one["userName"] == expected for one in invitations(anna)), expected


def invitations(owner) -> list[dict]:
    return json.loads(owner.evaluate("async () => (await fetch('/api/invitations')).text()"))


def test_the_database_holds_no_password_and_no_private_key(home):
    """What travels and what is stored opens nothing: the words typed appear in no file of the server and no log."""
    home.person("anna")
    files = [path for path in home.server.data.rglob("*") if path.is_file()] + [home.server.log_file]
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes(), f"the password is in {path.name}"

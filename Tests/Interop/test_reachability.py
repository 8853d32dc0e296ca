"""Who can be reached: telephones of people who never joined, and pages that were closed without a word."""

from __future__ import annotations

import json

from lab.page import eventually
from lab.phones import Baresip


def test_somebody_with_a_telephone_alone_is_in_the_list_and_is_called_by_telephones(home, tmp_path):
    server = home.server
    anna = home.person("anna")
    server.user_link("grandma", "Grandma")
    account = server.phone("grandma", "Hall")
    grandma = Baresip(tmp_path / "grandma", account, server.sip("udp"))
    desk = Baresip(tmp_path / "desk", server.phone("anna", "Desk"), server.sip("udp"))
    try:
        grandma.wait_registered()
        desk.wait_registered()
        eventually(lambda: "Reachable by telephone" in anna.text("list", "People"), "the page shows her telephone")
        desk.dial("sip:grandma@localhost")
        for phone in (grandma, desk):
            phone.wait_event("CALL_ESTABLISHED")
        desk.hang_up()
        grandma.wait_event("CALL_CLOSED")
        anna.call("Grandma")
        anna.wait_status("only has a phone")
        people = {one["userName"]: one for one in json.loads(server.command("user", "list", "--json"))}
        assert people["grandma"]["role"] == "phone" and people["grandma"]["phones"] == 1
    finally:
        grandma.close()
        desk.close()


def test_the_owner_sets_a_telephone_up_in_the_page(home):
    anna = home.person("anna")
    anna.press("Invite someone")
    anna.fill("User name", "uncle")
    anna.fill("Full name", "Uncle Max")
    anna.press("Make the link")
    anna.press("Uncle Max has only a telephone")
    anna.see("heading", "Telephones of uncle")
    anna.fill("What is it called?", "Workshop")
    anna.press("Add a phone")
    anna.see("button", "Done")
    anna.see("link", "Uncle Max")
    assert "Telephone not connected" in anna.text("list", "People")


def test_a_page_closed_without_a_word_is_forgotten_after_half_a_minute(home):
    anna, bob = home.person("anna"), home.person("bob")

    def is_reachable() -> bool:
        return anna.text("list", "People").replace("\n", " ").partition("Bob")[2].strip().startswith("Reachable")

    eventually(is_reachable, "Bob is there")
    # A crash unregisters nothing: what the page would send when it goes is lost.
    bob.evaluate("() => { WebSocket.prototype.send = () => {}; }")
    home.pages.remove(bob)
    bob.close()
    assert is_reachable()
    eventually(lambda: not is_reachable(), "Bob is gone", 45)

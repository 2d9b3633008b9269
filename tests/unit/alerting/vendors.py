"""Vendors with the semantics that bite: PagerDuty by key, Slack by message, and addresses that refuse for good.

A PagerDuty trigger rings unless its key is open there; a resolve of an unknown key is dropped in silence.  A Slack post is a
new message each time, unless the receiver finds the one that it posted before it crashed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alerting.deliveries import Call


@dataclass
class Root:
    """A Slack message."""

    thread: str
    key: str
    address: str
    open: bool = True


@dataclass
class Vendors:
    """What both vendors believe.  ``rings`` are pages and new messages, in order, by (address, key)."""

    search: bool = True
    refuses: dict[str, str] = field(default_factory=dict)
    pages: dict[tuple[str, str], bool] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)
    rings: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def deliver(self, call: Call) -> tuple[str | None] | str:
        """A thread, or why it is refused for good."""
        self.calls.append(call)
        if call.address in self.refuses:
            return self.refuses[call.address]
        if call.kind == "digest":
            return (None,)
        if call.kind == "note":
            self.notes.append((call.address, call.why))
            if call.receiver_kind == "pagerduty":  # a note is a trigger there
                self._page(call)
            return (call.thread,)
        return (None,) if call.receiver_kind == "pagerduty" and self._page(call) else (self._post(call),)

    def still_open(self) -> set[tuple[str, str]]:
        """What somebody still believes to be firing."""
        told = {(root.address, root.key) for root in self.roots if root.open}
        return {page for page, is_open in self.pages.items() if is_open} | told

    def open_at(self, address: str) -> set[str]:
        """The keys open at an address."""
        return {key for place, key in self.still_open() if place == address}

    def kinds(self, address: str) -> list[str]:
        """The kinds of calls an address got, in order."""
        return [call.kind for call in self.calls if call.address == address]

    def _page(self, call: Call) -> bool:
        page = (call.address, call.dedup_key)
        if call.kind == "close":
            self.pages.update({page: False} if self.pages.get(page) else {})
        elif not self.pages.get(page):
            self.pages[page] = True
            self.rings.append(page)
        return True

    def _post(self, call: Call) -> str | None:
        mine = [root for root in self.roots if (root.address, root.key) == (call.address, call.dedup_key)]
        thread = call.thread or (mine[0].thread if mine and self.search else None)
        if call.kind == "close":
            for root in mine:  # An orphan that cannot be found is closed by a message that names the incident.
                root.open = root.open and thread is not None and root.thread != thread and self.search
            return thread
        for root in self.roots:
            if call.kind == "open" and (root.address, root.thread) == (call.address, thread) and not root.open:
                root.open, root.key = True, call.dedup_key  # it returned: the message that is there says so
                self.rings.append((call.address, call.dedup_key))
        if thread is None:
            thread = str(len(self.roots))
            self.roots.append(Root(thread, call.dedup_key, call.address))
            self.rings.append((call.address, call.dedup_key))
        return thread

"""What a receiver is: one address of one vendor, and a call that never raises."""

from __future__ import annotations

from typing import Protocol

from alerting.deliveries import Call, Message, Receipt, ReceiverKind

#: How long a vendor may be silent before a call counts as unanswered.
TIMEOUT_S = 10
#: A call begins no request later than this after its own beginning; so what it sends arrives within the sum of both
#: (15 s, which is what DRIFTLINE_IN_DOUBT_S waits for after a take-over), or not at all.
LONGEST_S = 5


class Receiver(Protocol):
    """One address.  ``deliver`` blocks for some tens of seconds at most, so it belongs on a thread, never on the event loop.

    It tries once.  Whether and when to try again is the register's to decide, from the receipt: ``retry`` also where the
    request may have arrived and only its answer was lost.  Secrets are in no receipt, no log line and no ``repr``.
    """

    @property
    def address(self) -> str:
        """Where it delivers to; what the register remembers."""

    @property
    def kind(self) -> ReceiverKind:
        """The vendor."""

    def registered(self, call: Call, message: Message) -> str | None:
        """How what this call may leave there is found: to be stored before it is delivered; None where its key says so.

        Cheap, and never raises.
        """

    def deliver(self, call: Call, message: Message) -> Receipt:
        """Send it; never raises."""

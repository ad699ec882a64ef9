"""What viewers are told when the server ends a connection."""

from server.wire import Bye

FAREWELL_SECONDS = 3.0
"""How long a viewer may take to hear why, before it is cut off."""

DELETED = Bye(4404, "This session was deleted.")
NOT_SHARED = Bye(4404, "This session is not shared with you any more.")
ENDED = Bye(1000, "This session has ended.")
GOING_AWAY = Bye(1012, "The server is restarting; reconnect in a moment.", retry_after=1)
NOT_ANY_MORE = Bye(4401, "Your token or your log-in has ended. Log in again, or send another.")
PROTOCOL_VIOLATION = Bye(4400, "Too many malformed frames.")
TOO_LARGE = Bye(1009, "A frame has at most 1 MiB.")
UNAVAILABLE = Bye(1012, "The server cannot read its store now.", retry_after=1)
MISTAKE = Bye(1011, "The server made a mistake; its log says more.", retry_after=1)

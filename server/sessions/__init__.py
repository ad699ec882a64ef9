"""Which sessions are live, and how a session reaches its log and its viewers."""

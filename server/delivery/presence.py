"""Who watches a session: people by name, each once, however many connections they have."""

from server.wire import Person

MOST_NAMED = 50
"""Who comes when so many are there counts as a viewer, and is named when there is room."""


class Presence:
    """In the order of arrival."""

    def __init__(self, most: int = MOST_NAMED) -> None:
        self._most = most
        self._there: dict[Person, int] = {}
        self.people: tuple[Person, ...] = ()

    def enter(self, person: Person) -> None:
        self._there[person] = self._there.get(person, 0) + 1
        if self._there[person] == 1 and len(self._there) <= self._most:
            self.people = (*self.people, person)

    def leave(self, person: Person) -> None:
        self._there[person] -= 1
        if not self._there[person]:
            del self._there[person]
            if person in self.people:
                self.people = tuple(self._there)[: self._most]

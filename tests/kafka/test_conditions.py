from connector.kafka.conditions import REMIND_SECONDS, Conditions, Key


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def board() -> tuple[Conditions, list[tuple[str, str]], Clock]:
    notes: list[tuple[str, str]] = []
    clock = Clock()
    return Conditions(lambda level, message: notes.append((level, message)), clock), notes, clock


def test_condition_is_noted_once() -> None:
    conditions, notes, _ = board()
    for _ in range(5):
        conditions.report(Key.BROKER, "no broker")
    assert notes == [("warning", "no broker")]
    assert conditions.messages() == ("no broker",)


def test_changed_words_are_noted_after_a_while() -> None:
    conditions, notes, clock = board()
    conditions.report(Key.BROKER, "no broker (1)")
    conditions.report(Key.BROKER, "no broker (2)")
    assert len(notes) == 1
    clock.now += REMIND_SECONDS
    conditions.report(Key.BROKER, "no broker (3)")
    assert [message for _, message in notes] == ["no broker (1)", "no broker (3)"]


def test_end_of_a_condition_is_noted_and_its_return_too() -> None:
    conditions, notes, _ = board()
    conditions.report(Key.GROUP, "refused")
    conditions.clear([Key.GROUP, Key.BROKER])
    conditions.clear([Key.GROUP])
    assert not conditions
    conditions.report(Key.GROUP, "refused")
    assert notes == [("warning", "refused"), ("info", "no longer: refused"), ("warning", "refused")]


def test_forgotten_condition_ends_without_a_word() -> None:
    conditions, notes, _ = board()
    conditions.report(Key.topic("t"), "missing")
    conditions.forget([Key.topic("t")])
    assert not conditions
    assert len(notes) == 1

"""Exercise: drive a saga from its log, so that it survives a crash at any point.

The learner's function gets the table, the events in the log, and two functions of ours: one asks a
participant, one writes an event down. Ours die at a chosen call; then a new process calls the
learner's function with what the log holds. Left out: participants that do not answer.
"""

import random
from collections.abc import Callable

from course_lib.exercises.attempt import Attempt, Fault
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import play
from course_lib.exercises.plain import shown

__all__ = ["RECOVERY"]

STEPS = (("reserve", "release"), ("charge", "refund"), ("pack", "unpack"))
ENDS = ("completed", "compensated")
Table = dict[str, dict[str, str]]
Judge = Callable[["Story", int, str], None]


def table_of(undoable: int) -> Table:
    """The table {state: {event: next state}} of a saga with one to three steps before "ship"."""
    steps, table = STEPS[:undoable], dict[str, dict[str, str]]()
    actions = [*[action for action, _ in steps], "ship"]
    for number, action in enumerate(actions):
        before = steps[number - 1][1] if number else "compensated"
        after = actions[number + 1] if number < undoable else "notify"
        table[action] = {"done": after, "refused": before}
        if number < undoable:
            table[steps[number][1]] = {"done": before}
    return {**table, "notify": {"done": "completed"}}


class Story:
    """One saga: what participants will say, what the log holds, and what was asked for so far."""

    def __init__(self, draw: random.Random, refuses: str = "") -> None:
        self.table = table_of(draw.randint(1, 3))
        self.refuses = refuses
        self.log: list[str] = []
        self.asked: list[str] = []
        self.written: list[int] = []  # for each action asked for, the events written before
        self.calls, self.dies_at, self.moment = 0, 0, ""

    def again(self, dies_at: int, moment: str) -> "Story":
        """The same saga, from its beginning, in a process that dies at this call."""
        story = Story(random.Random(0), self.refuses)
        story.table, story.dies_at, story.moment = self.table, dies_at, moment
        return story

    def _live(self, moment: str) -> None:
        """Die here, if it is time: before or after what this call does."""
        if self.calls == self.dies_at and self.moment == moment:
            raise ConnectionError("the process dies here")

    async def ask(self, action: str) -> str:
        """Ask a participant: "done" or "refused"."""
        self.calls += 1
        self._live("before")
        if action not in self.table:
            raise Counterexample(f"It asked for {shown(action, 40)}, which is no action.")
        self.asked.append(action)
        self.written.append(len(self.log))
        self._live("after")
        return "refused" if action == self.refuses else "done"

    async def write(self, event: str) -> None:
        """Append an event to the log."""
        self.calls += 1
        self._live("before")
        self.log.append(str(event))
        self._live("after")

    def state(self) -> str:
        """The state in which the log leaves the saga."""
        state = "reserve"
        for event in self.log:
            moves = self.table.get(state, {})
            if event not in moves:
                told = f"the log holds {', '.join(self.log)}"
                raise Counterexample(f'In state "{state}" no event {event!r} can happen: {told}.')
            state = moves[event]
        return state

    def history(self) -> list[str]:
        """What a saga should do: the actions of the table's way, from start to end."""
        state, way = "reserve", []
        while state not in ENDS:
            way.append(state)
            state = self.table[state]["refused" if state == self.refuses else "done"]
        return [*way, state]


async def _run(attempt: Attempt, story: Story) -> object:
    return await attempt.wait(story.table, list(story.log), story.ask, story.write)


def _stories(draw: random.Random) -> list[Story]:
    """A saga that completes, and one in which each step that can be refused is."""
    probe = Story(draw)
    refusable = [state for state, moves in probe.table.items() if "refused" in moves]
    stories = [Story(draw), *[Story(draw, refuses=state) for state in refusable]]
    for story in stories:
        story.table = probe.table
    return stories


def _whole_and_undone(draw: random.Random) -> list[Story]:
    """A saga that completes, and the longest way back: the pivot is refused."""
    stories = _stories(draw)
    return [stories[0], next(story for story in stories if story.refuses == "ship")]


def drives(attempt: Attempt, draw: random.Random) -> int:
    """Without a crash: each action once, in the table's order, each event written at once."""
    stories = _stories(draw)
    for story in stories:
        answer = play(_run(attempt, story))
        *way, end = story.history()
        if story.asked != way:
            raise Counterexample(_told(story, f"it asked for {_listed(story.asked)}", way))
        if story.state() != end:
            raise Counterexample(_told(story, f"the log holds {_listed(story.log)}", way))
        if answer != end:
            raise Counterexample(_told(story, f"it answered {shown(answer, 40)}", [end]))
    return len(stories)


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "nothing"


def _told(story: Story, found: str, right: list[str]) -> str:
    case = f"{story.refuses} is refused" if story.refuses else "nothing is refused"
    return f"Where {case}, {found}; right is {_listed(right)}."


def writes_first(attempt: Attempt, draw: random.Random) -> int:
    """An event is in the log before the next action is asked for."""
    for story in _stories(draw):
        play(_run(attempt, story))
        for place, (action, written) in enumerate(zip(story.asked, story.written, strict=True)):
            if written != place:
                told = f"{action} was asked for with {written} of {place} events in the log"
                raise Counterexample(f"{told}: a crash now forgets what was done.")
    return 3


def _crashes(attempt: Attempt, stories: list[Story], judge: Judge) -> int:
    """Die at every call, before and after; go on with what the log holds; judge each."""
    tried = 0
    for plain in stories:
        for dies_at in range(1, 2 * (len(plain.history()) - 1) + 1):
            for moment in ("before", "after"):
                story = plain.again(dies_at, moment)
                _die(attempt, story)
                story.dies_at = 0
                play(_run(attempt, story))
                judge(story, dies_at, moment)
                tried += 1
    return tried


def _die(attempt: Attempt, story: Story) -> None:
    try:
        play(_run(attempt, story))
    except Fault as fault:
        if fault.kind != "raised" or "ConnectionError" not in f"{fault.error} {fault.sentence}":
            raise
    else:
        raise Counterexample("The process died in a call, and your code went on as if it had not.")


def recovers(attempt: Attempt, draw: random.Random) -> int:
    """After a crash at any call the saga comes to the same end, by the same way."""

    def judge(story: Story, dies_at: int, moment: str) -> None:
        *way, end = story.history()
        once = [a for n, a in enumerate(story.asked) if n == 0 or story.asked[n - 1] != a]
        when = f"After a crash {moment} call {dies_at}"
        if once != way or story.state() != end:
            raise Counterexample(
                f"{when}: {_told(story, 'asked were ' + _listed(story.asked), way)}"
            )

    return _crashes(attempt, _whole_and_undone(draw), judge)


def asks_little(attempt: Attempt, draw: random.Random) -> int:
    """After one crash at most one action is asked for again."""

    def judge(story: Story, dies_at: int, moment: str) -> None:
        twice = len(story.asked) - len(set(story.asked))
        if twice > 1:
            told = f"After a crash {moment} call {dies_at}, {twice} actions were asked for again"
            raise Counterexample(f"{told}: {_listed(story.asked)}.")

    return _crashes(attempt, _whole_and_undone(draw)[:1], judge)


STUB = '''
async def drive(table, events, ask, write):
    """Drive a saga to its end from what its log holds; return the state in which it ends.

    table: {state: {event: next state}}, for instance {"ship": {"done": "notify", "refused":
    "refund"}, ...}. A state is the action to ask for now; the saga starts in "reserve", and is
    over in a state that the table does not have. events: what the log holds so far, in order.
    `await ask(action)` answers "done" or "refused"; `await write(event)` appends to the log.
    The process can die in each of them (it raises: let it through). A new process then calls
    drive again with the log. Participants do each action once, but may be asked twice.
    """
    raise NotImplementedError
'''

ANSWER = """
async def drive(table, events, ask, write):
    state = "reserve"
    for event in events:
        state = table[state][event]
    while state in table:
        event = await ask(state)
        await write(event)
        state = table[state][event]
    return state
"""

RECOVERY = Exercise(
    id="sagas.recovery",
    place=3,
    title="Go on from the log",
    name="drive",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("drives", "without a crash, each action of the table is asked for once.", drives),
        Property(
            "writes first",
            "what became of an action is in the log before the next one is asked for.",
            writes_first,
        ),
        Property(
            "recovers", "after a crash at any call, the saga comes to the same end.", recovers
        ),
        Property(
            "asks little", "after a crash, one action at most is asked for again.", asks_little
        ),
    ),
    mistakes=(
        Mistake(
            "starts afresh",
            changed(
                ANSWER, ("    for event in events:\n        state = table[state][event]\n", "")
            ),
            "You do not read the log. A new process starts the saga from the beginning and writes "
            "its events behind the old ones: fold the events over the table first.",
        ),
        Mistake(
            "writes before it asks",
            changed(
                ANSWER,
                (
                    "        event = await ask(state)\n        await write(event)\n",
                    '        await write("done")\n        event = await ask(state)\n',
                ),
            ),
            'You write "done" before you have asked. After a crash the log says that something '
            "happened which nobody did, and a refusal comes too late.",
        ),
        Mistake(
            "writes at the end",
            changed(
                ANSWER,
                ('state = "reserve"\n', 'state, new = "reserve", []\n'),
                ("await write(event)", "new.append(event)"),
                (
                    "    return state",
                    "    for event in new:\n        await write(event)\n    return state",
                ),
            ),
            "You write the events when all is over. A log that is written at the end holds nothing "
            "when you need it: write each event before you ask for the next action.",
        ),
        Mistake(
            "hides the crash",
            changed(
                ANSWER,
                (
                    "        await write(event)\n",
                    "        try:\n            await write(event)\n        except Exception:\n"
                    "            pass\n",
                ),
            ),
            "You go on although the event was not written. If the log cannot be written the saga "
            "must stop: the log is its only memory.",
        ),
        Mistake(
            "only forward",
            changed(
                ANSWER,
                (
                    "        state = table[state][event]\n    return",
                    '        if event == "refused":\n            return "compensated"\n'
                    "        state = table[state][event]\n    return",
                ),
            ),
            "You stop at a refusal, with the earlier steps still standing. The table says what to "
            "undo: go on until the state is not in it.",
        ),
    ),
    hints=(
        "Where is the saga after these events? Fold them over the table, from the start.",
        "Then a loop: while the state is in the table, ask for it, and move by the answer.",
        "Between the answer and the move: `await write(event)`. Not before the answer, not after "
        "the next question.",
    ),
    seeds=(1, 2),
)

"""A stream sender that greets, and at the next job does what the name in its first argument says.

Names that end in `at_once` do it instead of greeting.
"""

import json
import sys
from pathlib import Path

import misbehaving
import mistaken

Job = dict


def say(value: object) -> None:
    write(json.dumps(value))


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def die(last_words: str, code: int) -> None:
    sys.stderr.write(f"{last_words}\n")
    sys.exit(code)


def sends(job: Job) -> None:
    say(mistaken.Right()(job))


def sends_twice(job: Job) -> None:
    say(mistaken.SendsTwice()(job))


def has_no_topics(job: Job) -> None:
    say(mistaken.WithoutTopics()(job))


def crashes(job: Job) -> None:
    die("no such key", 3)


def crashes_once(job: Job, marker: str) -> None:
    if Path(marker).exists():
        return sends(job)
    Path(marker).touch()
    sys.exit(3)


def hangs(job: Job) -> None:
    misbehaving.hangs()


def prints_rubbish(job: Job) -> None:
    write("Sent!")


def says_too_little(job: Job) -> None:
    say({"status": 201})


def ignores_the_end(job: Job, fifo: str) -> None:
    misbehaving.ignores_the_end(fifo)


def crashes_at_once(job: Job) -> None:
    die("no such module", 5)


def prints_rubbish_at_once(job: Job) -> None:
    write("Ready.")


def hangs_at_once(job: Job) -> None:
    misbehaving.hangs()


GREETINGS = {"only_notifies": {"ops": ["notify"]}, "has_no_name": {"name": None}}


def greet(behaviour: str) -> None:
    hello = {"name": behaviour, "version": "1", "ops": ["send"], "language": "Python"}
    say({**hello, **GREETINGS.get(behaviour, {})})


def main(behaviour: str, *arguments: str) -> None:
    for line in sys.stdin:
        job = json.loads(line)
        if job["op"] == "hello" and not behaviour.endswith("at_once"):
            greet(behaviour)
        else:
            globals()[behaviour](job, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])

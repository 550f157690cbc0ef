"""A sender that does what the name in its first argument says. Further ones are for it."""

import contextlib
import os
import signal
import subprocess
import sys
import time

RESULT = b'{"ok": true, "status": 201}\n'


def say(data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, data)


def behaves() -> None:
    for _ in sys.stdin:
        say(RESULT)


def logs() -> None:
    for line in sys.stdin:
        os.write(2, b"log of " + line.encode())
        say(RESULT)


def repeats_its_input() -> None:
    for line in sys.stdin:
        say(line.encode())


def talks_before_the_result() -> None:
    sys.stdin.read()
    say(b"connecting\nencrypting\n" + RESULT + b"\n")


def fails_after_the_result() -> None:
    say(RESULT)
    sys.exit(1)


def hangs() -> None:
    signal.pause()


def crashes() -> None:
    sys.stdin.readline()
    os.write(2, b"Traceback: no such key\n")
    sys.exit(3)


def is_killed() -> None:
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)


def ends_after_each_result() -> None:
    sys.stdin.readline()
    say(RESULT)


def says_nothing() -> None:
    sys.stdin.read()


def never_reads() -> None:
    say(RESULT)
    signal.pause()


def closes_its_input() -> None:
    os.close(0)
    say(RESULT)


def closes_its_output() -> None:
    sys.stdin.readline()
    os.close(1)
    signal.pause()


def prints_rubbish() -> None:
    for _ in sys.stdin:
        say(b"\x1b[31mSent!\x1b[0m\n")


def prints_octets() -> None:
    for _ in sys.stdin:
        say(b'{"ok": true, "error": "\xff\xfe"}\n')


def prints_a_huge_line() -> None:
    for _ in sys.stdin:
        for _ in range(80):
            say(b"x" * (1 << 16))
        say(b"\n")


def prints_twice() -> None:
    for _ in sys.stdin:
        say(RESULT + RESULT)


def floods(descriptor: str) -> None:
    sys.stdin.readline()
    with contextlib.suppress(BrokenPipeError):
        while True:
            os.write(int(descriptor), b"y\n" * 4096)


def ignores_the_end(fifo: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hold(fifo)
    while True:
        time.sleep(1000)


def leaves_a_child(fifo: str) -> None:
    start_child(fifo)
    sys.stdin.readline()
    say(RESULT)


def leaves_a_daemon(fifo: str) -> None:
    """It has a session of its own, is nobody's child, and holds our pipes."""
    ready, started = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            start_child(fifo)
            os.write(started, b"!")
        os._exit(0)
    os.wait()
    os.read(ready, 1)
    for _ in sys.stdin:
        say(RESULT)


def leaves_a_stranger(fifo: str) -> None:
    """As a daemon, but without our environment."""
    ready, started = os.pipe()
    program = [sys.executable, "-S", __file__, "ignores_the_end", fifo, str(started)]
    subprocess.Popen(program, pass_fds=[started], env={}, start_new_session=True)
    os.close(started)
    os.read(ready, 1)


def stops_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def hangs_with_a_child(fifo: str) -> None:
    start_child(fifo)
    while True:
        time.sleep(1000)


def start_child(fifo: str) -> None:
    """A child that keeps our pipes and ignores everything; it is up when it has the FIFO open."""
    ready, started = os.pipe()
    program = [sys.executable, "-S", __file__, "ignores_the_end", fifo]
    subprocess.Popen([*program, str(started)], pass_fds=[started])
    os.close(started)
    os.read(ready, 1)


def hold(fifo: str) -> None:
    """Keep the FIFO open for as long as this process lives."""
    os.write(os.open(fifo, os.O_WRONLY), b"!")
    if len(sys.argv) > 3:
        os.write(int(sys.argv[3]), b"!")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:3])

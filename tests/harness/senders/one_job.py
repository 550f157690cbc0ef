"""A right sender that takes one job, and talks before it prints the result."""

import json
import sys

import mistaken

job = json.load(sys.stdin)
sys.stdout.write(f"sending …\n{json.dumps(mistaken.Right()(job))}\n")

import json
import sys

from one_shot import answer

for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

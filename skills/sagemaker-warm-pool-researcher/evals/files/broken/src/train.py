"""The same with a bug that no rule can mend: the schedule's name is misspelled."""

import argparse

SCHEDULES = {"constant": lambda epoch: 1.0, "half": lambda epoch: 0.5**epoch}

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=32)
arguments = parser.parse_args()
for epoch in range(1, 4):
    scale = SCHEDULES["halve"](epoch)
    print(f"epoch={epoch} eval_loss={scale * arguments.batch_size / 64:.4f}", flush=True)

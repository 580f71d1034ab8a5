"""A model whose memory grows with its batch, on a machine with little of it."""

import argparse
import resource

LIMIT = 400 * 2**20
SAMPLE = 4 * 2**20

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--gradient_accumulation_steps", type=int, default=1)
arguments = parser.parse_args()

# Stands for the instance's memory: what is beyond it, the kernel refuses. (macOS does not enforce this limit.)
resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def step(batch_size: int) -> int:
    """One forward and backward pass: the activations of the whole batch, and their gradients."""
    activations = bytearray(batch_size * SAMPLE)
    gradients = bytearray(batch_size * SAMPLE)
    return len(activations) + len(gradients)


for _ in range(arguments.gradient_accumulation_steps):
    step(arguments.batch_size)
effective = arguments.batch_size * arguments.gradient_accumulation_steps
print(f"effective batch {effective}")
print(f"eval_loss={0.5 / (1 + arguments.lr * effective):.4f}")

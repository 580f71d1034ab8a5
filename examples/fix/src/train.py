"""Trains nothing; what matters is what it imports."""

import chartkit
import framekit
from numkit import total

losses = [1 / (row + 1) for row in framekit.ROWS]
print(chartkit.line(losses))
print(f"eval_loss={total(losses) / len(losses):.4f}")

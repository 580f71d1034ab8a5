"""A stand-in for training: the loss is least at a learning rate of 0.01 and falls with each epoch."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=3)
arguments = parser.parse_args()
for epoch in range(1, arguments.epochs + 1):
    loss = abs(arguments.lr - 0.01) + 0.5 / epoch
    print(f"epoch={epoch} eval_loss={loss:.4f} val_loss={loss:.4f}", flush=True)

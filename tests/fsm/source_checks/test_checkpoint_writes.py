"""A checkpoint that the next job counts on: kept in ever so many ways, and the few in which it is surely not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from checked_scripts import PLAIN

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.source_checks.checkpoint_writes import Need, given_texts, need_of
from wpfsm.fsm.source_checks.examine import SourceUnderTest, examine

PLACES = {
    "environ": "import os\nplace = os.environ['WPFSM_CHECKPOINT_DIR']\n",
    "getenv": "import os\nplace = os.getenv('WPFSM_CHECKPOINT_DIR', '/tmp/ckpt')\n",
    "pathlib": "import os, pathlib\nplace = pathlib.Path(os.environ.get('WPFSM_CHECKPOINT_DIR') or '.')\n",
    "pool cache": "place = '/opt/ml/sagemaker/warmpoolcache/run'\n",
    "variable of the cache": "import os\nplace = os.environ['SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY'] + '/ckpt'\n",
    "option": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--checkpoint-dir')\nplace = p.parse_args().checkpoint_dir\n",
}
WRITES = {
    "torch.save": "import torch\nm = torch.nn.Linear(1, 1)\ntorch.save(m.state_dict(), f'{place}/last.pt')\n",
    "replace": "import os, torch\ntorch.save({}, 'x.tmp')\nos.replace('x.tmp', place)\n",
    "distributed": "import torch.distributed.checkpoint as dcp\ndcp.save({}, checkpoint_id=place)\n",
    "save_pretrained": "from transformers import AutoModel\nm = AutoModel.from_pretrained('x')\nm.save_pretrained(place)\n",
    "Trainer": "from transformers import Trainer, TrainingArguments\nTrainer(args=TrainingArguments(place)).train(resume_from_checkpoint=True)\n",
    "SFTTrainer": "from trl import SFTTrainer, SFTConfig\nSFTTrainer('m', args=SFTConfig(output_dir=place)).train()\n",
    "lightning": "import lightning as L\nL.Trainer(default_root_dir=place).fit(None)\n",
    "accelerate": "from accelerate import Accelerator\na = Accelerator()\na.save_state(place)\n",
    "safetensors": "from safetensors.torch import save_file\nsave_file({}, f'{place}/m.safetensors')\n",
    "ModelCheckpoint": "import keras\nkeras.Sequential().fit(None, callbacks=[keras.callbacks.ModelCheckpoint(place)])\n",
    "BackupAndRestore": "import keras\ncallbacks = [keras.callbacks.BackupAndRestore(place)]\n",
    "keras save": "import keras\nm = keras.Sequential()\nm.save_weights(f'{place}/w.weights.h5')\n",
    "tf.train": "import tensorflow as tf\ntf.train.CheckpointManager(tf.train.Checkpoint(), place, 3).save()\n",
    "orbax": "import orbax.checkpoint as ocp\nocp.StandardCheckpointer().save(place, {})\n",
    "joblib": "import joblib\njoblib.dump({}, f'{place}/model.joblib')\n",
    "pickle": "import pickle\nwith open(f'{place}/m.pkl', 'wb') as f:\n    pickle.dump({}, f)\n",
    "booster": "import xgboost as xgb\nb = xgb.Booster()\nb.save_model(f'{place}/m.ubj')\n",
    "numpy": "import numpy as np\nnp.savez(f'{place}/w.npz', w=np.zeros(3))\n",
    "json": "import json, pathlib\npathlib.Path(place, 's.json').write_text(json.dumps({}))\n",
    "path open": "import pathlib\nwith pathlib.Path(place, 's').open('w') as f:\n    print(1, file=f)\n",
    "gzip open": "import gzip\nwith gzip.open(f'{place}/s.gz', 'wt') as f:\n    print(1, file=f)\n",
    "mode by name": "f = open(f'{place}/s', mode='a')\nprint(1, file=f)\n",
    "mode from a value": "m = 'w'\nf = open(f'{place}/s', m)\nprint(1, file=f)\n",
    "shutil": "import shutil\nshutil.copytree('out', place, dirs_exist_ok=True)\n",
    "pandas": "import pandas as pd\npd.DataFrame().to_parquet(f'{place}/t.parquet')\n",
    "a program": "import subprocess\nsubprocess.run(['accelerate', 'launch', 'run.py', place], check=True)\n",
    "a shell": "import os\nos.system(f'torchrun run.py --out {place}')\n",
    "a library that nobody here knows": "import acme_trainer\nacme_trainer.fit(place)\n",
    "in a function": "import torch\ndef keep(state):\n    torch.save(state, place)\nkeep({})\n",
}  # fmt: skip
NOTHING = {
    "prints": "print('eval_loss=0.1')\n",
    "shows figures only": "import sys, json\nfrom torch.utils.tensorboard import SummaryWriter\nw = SummaryWriter()\n"
    "w.add_scalar('loss', 1)\nsys.stdout.write(json.dumps({'eval_loss': 0.1}))\n",
    "reads one": "import torch, pathlib, json\ntorch.load(place)\njson.loads(pathlib.Path(place).read_text())\nopen(place, 'rb').read()\n",
    "saves memory, not a model": "import torch.utils.checkpoint\ntorch.utils.checkpoint.checkpoint(print, 1)\nx = [].copy()\n",
}  # fmt: skip


def said(script: str, need: Need = "carried", **more: Any) -> list[str]:
    """What the check says of one script."""
    asked = SourceUnderTest({"train.py": script}, "train.py", "", PLAIN, needs_checkpoint=need, **more)
    return [
        one.text
        for one in examine(asked, ("imports", "hyperparameters"))
        if one.check == "checkpoint" and one.known
    ]


def test_a_checkpoint_that_is_kept_raises_nothing() -> None:
    """Each place with each way to write: 174 scripts."""
    wrong = {
        (place, write): found
        for place, where in PLACES.items()
        for write, how in WRITES.items()
        for need in ("carried", "grows")
        if (found := said(where + how, need))
    }
    assert wrong == {}


@pytest.mark.parametrize("script", NOTHING.values(), ids=NOTHING)
def test_a_script_that_writes_nothing(script: str) -> None:
    """It knows the place, and leaves nothing in it."""
    (text,) = said(PLACES["environ"] + script)
    assert "writes no model and no checkpoint" in text


def test_a_place_that_ends_with_its_job() -> None:
    """The model's folder is the job's; the next job does not see it."""
    (text,) = said("import os, torch\ntorch.save({}, os.environ['SM_MODEL_DIR'])\n")
    assert "WPFSM_CHECKPOINT_DIR" in text


def test_a_place_that_the_loop_file_names() -> None:
    """A script takes it as any other value."""
    script = "import sys, torch\ntorch.save({}, sys.argv[2])\n"
    assert said(script)
    file = loop_file({"target": "eval_loss < 0.1"}, hyperparameters={"out": "/opt/ml/checkpoints/run"})
    assert not said(script, given=given_texts(file))


def loop_file(until: Mapping[str, Any], **job: Any) -> LoopFile:
    """A loop file that trains until a number is reached."""
    return LoopFile.model_validate(
        {"version": 1, "name": "x", "pool": {"instance_type": "ml.g5.xlarge"},
         "job": {"source": "src/", "entry": "train.py", **job},
         "metric": {"name": "eval_loss", "regex": "eval_loss=(.*)"}, "strategy": {"type": "until", **until}}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("until", "need"),
    [
        ({}, "carried"),
        ({"propose": [{"lr": 1}], "carry_checkpoint": True}, "carried"),
        ({"propose": [{"epochs": 5}, {"epochs": 10}]}, "grows"),
        ({"propose": [{"num_train_epochs": 1, "lr": 0.1}, {"num_train_epochs": 2, "lr": 0.1}]}, "grows"),
        ({"propose": [{"max-steps": 100}, {"max-steps": 200}]}, "grows"),
        ({"propose": [{"epochs": 5}, {"epochs": 10}], "carry_checkpoint": False}, ""),
        ({"propose": [{"epochs": 10}, {"epochs": 5}]}, ""),
        ({"propose": [{"epochs": 5, "lr": 1}, {"epochs": 10, "lr": 2}]}, ""),
        ({"propose": [{"warmup_steps": 5}, {"warmup_steps": 10}]}, ""),
        ({"propose": [{"epochs": 5}]}, ""),
    ],
)
def test_which_loops_count_on_one(until: Mapping[str, Any], need: Need) -> None:
    """The same configuration again, a carried checkpoint, or the same trial for longer."""
    assert need_of(loop_file({"target": "eval_loss < 0.1", **until})) == need


def test_trials_that_only_grow_longer() -> None:
    """Each pays the epochs of the one before again, unless something is kept."""
    (text,) = said(NOTHING["prints"], "grows")
    assert "each trains from the start" in text
    assert not said(WRITES["torch.save"], "grows")
    assert not said(NOTHING["prints"], "")

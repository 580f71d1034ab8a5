"""A traceback that ends in a library, below two frames of the user's own source."""

TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/ml/input/data/code/train.py", line 4, in <module>
    main()
  File "/opt/ml/input/data/code/lib/steps.py", line 2, in step
    return batch["labels"]
  File "/opt/conda/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1553, in __getitem__
    raise KeyError(key)
KeyError: 'labels'
"""

"""Runs inside the training container, in place of the user's script, which it then becomes.

``job.install: cached`` uploads this folder beside the source and names it as the entry script. It keeps the installed
packages of each requirements digest in the pool's cache directory, lays the job's own environment over them and over
the image's packages, and replaces itself by that environment's Python with the user's script, so that arguments, exit
code, signals and tracebacks are the script's own. Whatever it did not expect ends in the SageMaker SDK's own
installation and one line in the log.

It runs in whatever Python an image brings: it uses the standard library of 3.8, and no other file of this project.
"""

"""What can be read in the source and its requirements before anything is paid; pure functions of texts.

A check is silent about what it cannot know: a finding is a thing that is wrong unless the reader sees what it does not.
"""

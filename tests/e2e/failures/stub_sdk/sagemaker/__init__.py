"""Stands in for the SageMaker SDK, which takes seconds to load, in tests that are not about it.

It has the names that wpfsm's rendering uses and makes a request of the same shape, with drivers that do the
same in fewer steps. ``tests/e2e/failures/test_real_sdk.py`` holds it against the real one.
"""

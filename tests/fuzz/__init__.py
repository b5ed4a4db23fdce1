"""Coverage-guided fuzzing of whatever reads what strangers send: `python -m tests.fuzz TARGET --minutes 10`.

A target takes any bytes, and raises when our code does what it never says that it does. `tests/properties` runs the
same targets on the corpus and on hypothesis' bytes with every test run; atheris looks for longer, and where it has not
been yet. What it finds is put into the corpus, so that it stays found.
"""

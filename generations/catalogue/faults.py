"""What is wrong with a data file of the catalogue."""

from __future__ import annotations


class BadData(ValueError):
    """A data file cannot be used. Names the file, the model (or voice) and the field."""

    def __init__(self, file: str, model: str, field: str, problem: str) -> None:
        place = ", ".join(part for part in (file, model, field) if part)
        super().__init__(f"{place}: {problem}")
        self.file = file
        self.model = model
        self.field = field
        self.problem = problem

"""The list of left-out cells stays short, true and counted."""

from __future__ import annotations

from .exceptions import CELLS, ENTRIES, LEFT_OUT
from .harness import all_cells


def test_the_list_is_counted() -> None:
    cells = {cell for some in all_cells().values() for cell in some}
    out = [cell for cell in cells if any(entry.matches(cell) for entry in LEFT_OUT)]
    assert len(LEFT_OUT) == ENTRIES
    assert len(out) == CELLS


def test_every_entry_matches_a_cell_and_gives_its_reason() -> None:
    cells = {cell for some in all_cells().values() for cell in some}
    for entry in LEFT_OUT:
        assert any(entry.matches(cell) for cell in cells), entry
        assert len(entry.reason) > 20, entry
        assert entry.kind in ("nonsense", "fails"), entry

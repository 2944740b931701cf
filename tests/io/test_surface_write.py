"""Values on vertices as GIFTI: what was written is what nibabel and the program read."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.surface_data import read_surface_data
from habena.app.io.surface_write import write_surface_map
from habena.app.io.write import Record, sha256
from habena.app.problems import Finding, Problem

VALUES = np.array([0.5, -1.25, np.nan, 0, 3e4, 1e-30], np.float32)


@pytest.mark.parametrize("side", ["left", "right", ""])
def test_values_come_back_bit_by_bit_with_their_side(tmp_path: Path, side: str) -> None:
    path = tmp_path / "t.func.gii"
    write_surface_map(path, VALUES, side, Record({}, unit="t(12)"))
    image = nib.load(path)
    assert len(image.darrays) == 1
    assert image.darrays[0].data.dtype == np.float32
    np.testing.assert_array_equal(image.darrays[0].data, VALUES)
    again = read_surface_data(path)
    np.testing.assert_array_equal(again.frame(0), VALUES)
    assert again.hemisphere == side
    assert again.n_frames == 1


def test_the_sidecar_holds_unit_parameters_hashes_versions_and_warnings(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("a\n1\n")
    finding = Finding("uncorrected", "in.tsv", 3, "Nothing is corrected.")
    record = Record({"seed": 5, "weights": np.eye(2), "cut": float("nan")}, (source,), "TFCE", (finding,))
    write_surface_map(tmp_path / "group_tfce.func.gii", VALUES, "left", record)
    said = json.loads((tmp_path / "group_tfce.json").read_text())
    assert said["Units"] == "TFCE"
    assert said["parameters"] == {"seed": 5, "weights": [[1, 0], [0, 1]], "cut": None}
    assert said["inputs"] == [{"name": "in.tsv", "bytes": 4, "sha256": sha256(source)}]
    assert said["warnings"][0]["code"] == "uncorrected"
    assert "habena" in said["software"]


def test_no_unit_is_no_unit(tmp_path: Path) -> None:
    write_surface_map(tmp_path / "a.func.gii", VALUES, "", Record({}))
    assert "Units" not in json.loads((tmp_path / "a.json").read_text())


def test_the_same_values_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_surface_map(tmp_path / f"{name}.func.gii", VALUES, "left", Record({}))
    assert (tmp_path / "a.func.gii").read_bytes() == (tmp_path / "b.func.gii").read_bytes()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="does not exist"):
        write_surface_map(tmp_path / "no" / "a.func.gii", VALUES, "left", Record({}))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib.gifti.GiftiImage, "to_xml", full)
    (tmp_path / "a.json").write_text("before")
    with pytest.raises(Problem, match="make room there"):
        write_surface_map(tmp_path / "a.func.gii", VALUES, "left", Record({}))
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "before"

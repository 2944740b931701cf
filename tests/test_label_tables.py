"""Tables of region names as they are found in the wild."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from habena.app.io.label_tables import MAX_BYTES, read_label_table
from habena.app.problems import Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PUTAMEN, HABENULA = (1, "Putamen L", (236, 13, 176)), (13, "HN_LH", (0, 255, 7))
PLAIN = [(1, "Putamen L", None), (13, "HN_LH", None)]

TABLES = {
    "bids.tsv": ("index\tname\tcolor\n1\tPutamen L\t#ec0db0\n13\tHN_LH\t#00FF07\n", [PUTAMEN, HABENULA]),
    "comma.csv": ("Region_Index,Region_Name\n1,Putamen L\n13,HN_LH\n", PLAIN),
    "bom.csv": ("\ufeffRegion_Index,Region_Name\r\n1,Putamen L\r\n13,HN_LH\r\n", PLAIN),
    "headless.csv": ("1,Putamen L\n13,HN_LH\n", PLAIN),
    "headless_bom.csv": ("\ufeff1,Putamen L\n13,HN_LH\n", PLAIN),
    "float_labels.csv": ("1.0,Putamen L\n13.0,HN_LH\n", PLAIN),
    "name_first.csv": ("ROI name,ROI label\nPutamen L,1\nHN_LH,13\n", PLAIN),
    "label_is_a_number.tsv": ("label\tregion\n1\tPutamen L\n13\tHN_LH\n", PLAIN),
    "label_is_a_name.tsv": ("index\tlabel\n1\tPutamen L\n13\tHN_LH\n", PLAIN),
    "trailing.csv": ("1,Putamen L,,,,,\n13,HN_LH,,,,,\n", PLAIN),
    "quoted.csv": ('1,"Putamen L"\n13,"HN_LH"\n', PLAIN),
    "semicolons.csv": ("1;Putamen L\n13;HN_LH\n", PLAIN),
    "spaces.txt": ("1 Putamen L\n13   HN_LH\n\n", PLAIN),
    "rgb.tsv": ("index\tname\tr\tg\tb\n1\tPutamen L\t236\t13\t176\n13\tHN_LH\t0\t255\t7\n", [PUTAMEN, HABENULA]),
    "rgb_headless.csv": ("1,Putamen L,236,13,176\n13,HN_LH,0,255,7\n", [PUTAMEN, HABENULA]),
    "freesurfer.txt": (
        "#No. Label Name:      R   G   B   A\n\n1   Putamen L   236 13  176 0\n13  HN_LH   0 255   7   0\n",
        [PUTAMEN, HABENULA],
    ),
    "itksnap.txt": (
        (
            "# ITK-SnAP Label Description File\n# IDX -R- -G- -B- -A-- VIS MSH LABEL\n"
            '    1   236   13  176        1  1  1    "Putamen L"\n   13     0  255    7     0.50  0  0    "HN_LH"\n'
        ),
        [PUTAMEN, HABENULA],
    ),
    "spm.xml": (
        (
            "<?xml version='1.0'?><atlas><data><label><index>1</index><name>Putamen L</name></label>"
            "<label><index>13</index><name>HN_LH</name></label></data></atlas>"
        ),
        PLAIN,
    ),
    "fsl.xml": (
        (
            '<?xml version="1.0"?><atlas version="1.0"><header><type>Label</type></header><data>'
            '<label index="1" x="1" y="2" z="3">Putamen L</label><label index="13">HN_LH</label></data></atlas>'
        ),
        PLAIN,
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_every_kind(name: str, tmp_path: Path):
    text, expected = TABLES[name]
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    table = read_label_table(tmp_path / name)
    assert [(row.index, row.label, row.colour) for row in table.rows] == expected
    assert not table.zero_based


def write(tmp_path: Path, content: str | bytes, name: str = "labels.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_plain_list_of_names_is_numbered_from_one(tmp_path: Path):
    rows = read_label_table(write(tmp_path, "aHIP-rh\npHIP-rh\nTHA-DP-lh", "list.txt")).rows
    assert [(row.index, row.label) for row in rows] == [(1, "aHIP-rh"), (2, "pHIP-rh"), (3, "THA-DP-lh")]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8"])
def test_encodings(tmp_path: Path, encoding: str):
    rows = read_label_table(write(tmp_path, "1,Präcuneus\n2,Région\n".encode(encoding))).rows
    assert [row.label for row in rows] == ["Präcuneus", "Région"]


def test_sides_and_abbreviations_have_columns(tmp_path: Path):
    text = "index\tname\tabbreviation\themisphere\n5\tGlobus pallidus\tGP\tleft\n6\tBrain stem\tBS\t\n"
    rows = read_label_table(write(tmp_path, text)).rows
    assert [(row.label, row.name, row.side) for row in rows] == [
        ("GP", "Globus pallidus", "L"),
        ("BS", "Brain stem", ""),
    ]


def test_fsl_s_probabilistic_atlases_count_volumes_from_zero(tmp_path: Path):
    text = '<atlas><header><type>Probabalistic</type></header><data><label index="0">Pole</label></data></atlas>'
    table = read_label_table(write(tmp_path, text, "prob.xml"))
    assert table.zero_based
    assert table.rows[0].index == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("index,name\n1,A\nx,B\n", "line 3 has 'x' where a label"),
        ("index,name\n1.5,A\n", "line 2 has '1.5' where a label"),
        ("index,name\n-1,A\n", "line 2 has '-1' where a label"),
        ("# a comment\n\nindex,name\n1,A\n99999999999,B\n", "line 5 has '99999999999'"),
        ("1,A\n1,B\n", r"names the label 1 twice \('A' and 'B'\)"),
        ("index,colour\n1,#ff0000\n", "has no column of names"),
        ("1,2\n3,4\n", "has no column of names"),
        ("# nothing but a comment\n", "names no labels"),
        ("index\tname\n", "names no labels"),
        ("<atlas><data></data></atlas>", "names no labels"),
        ("<atlas><data>", "is not valid XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><atlas>&b;</atlas>', "defines XML entities"),
        (b"\x5c\x01\x00\x00\x00\x00", "is not a text file"),
        (b"\xff\xfe\x00\xd8", "is not readable text"),
        (b"", "is empty"),
    ],
)
def test_bad_tables_say_what_is_wrong(tmp_path: Path, content: str | bytes, message: str):
    path = write(tmp_path, content)
    with pytest.raises(Problem, match=message) as caught:
        read_label_table(path)
    assert caught.value.where == str(path)


def test_a_table_that_is_far_too_large(tmp_path: Path):
    path = write(tmp_path, b"1,a\n" * (MAX_BYTES // 4 + 1))
    with pytest.raises(Problem, match="too much for a table of names"):
        read_label_table(path)


def test_a_missing_table_suggests_a_near_name(tmp_path: Path):
    write(tmp_path, "1,A\n", "labels.csv")
    with pytest.raises(Problem, match=r"does not exist; did you mean labels\.csv"):
        read_label_table(tmp_path / "label.csv")


@given(st.one_of(st.binary(max_size=300), st.text(alphabet="019.,;\t \"'#<>/LRab\n-é", max_size=120).map(str.encode)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_is_read_or_refused(tmp_path: Path, content: bytes):
    path = write(tmp_path, content)
    indices = [0]
    with suppress(Problem):  # any other exception fails the test
        indices = [row.index for row in read_label_table(path).rows]
    assert indices
    assert all(0 <= index < 2**31 for index in indices)


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)


@given(st.dictionaries(st.integers(0, 99999), names, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tsv_comes_back_as_it_was_written(tmp_path: Path, labels: dict[int, str]):
    quoted = {index: name.replace('"', '""') for index, name in labels.items()}
    lines = "".join(f'{index}\t"{name}"\n' for index, name in quoted.items())
    rows = read_label_table(write(tmp_path, "index\tname\n" + lines, "labels.tsv")).rows
    assert {row.index: row.label for row in rows} == labels


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("atlas/CIT168_labels/CIT168_subcortex_lookup.csv", 28, (1, "Pu_LH")),
        ("atlas/Tian_Subcortex_S2_3T_label.txt", 32, (1, "aHIP-rh")),
        ("atlas/Anatomical-labels-csv/AAL.csv", 121, (0, "null")),
        ("atlas/Anatomical-labels-csv/AICHA.csv", 384, (1, "L_Superior_Frontal_Gyrus_1")),
        ("atlas/tpl-fsLR_atlas-4S_scale-156_den-91k_dseg.tsv", 156, (1, "LH_Vis_1")),
    ],
)
def test_real_tables(shared_data: Callable[[str], Path], name: str, count: int, first: tuple[int, str]):
    rows = read_label_table(shared_data(name)).rows
    assert (rows[0].index, rows[0].label) == first
    assert len(rows) == count

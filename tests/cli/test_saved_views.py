"""Views in files: names of files relative to the view, damage, pictures that carry a view."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from command_line import blob, write_image
from habena.app.export import write_picture
from habena.app.headless import RenderOptions, answer_all
from habena.app.problems import Problem
from habena.app.recipes import (
    AtlasLabels,
    CrosshairSeed,
    Drawing,
    FileMap,
    MaskSeed,
    PointSeed,
    Preparation,
    RegionMask,
    SeedCorrelation,
    Stroke,
    ThresholdFill,
    label_file,
    label_file_id,
)
from habena.app.results import Results
from habena.app.saved import VIEW_KEY, absolute, files_of, read_view, relative, save_view, saved_view, with_paths
from habena.app.state import Modulation, Overlay, SurfaceView, ViewState, Vouched, to_json
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0:"), min_size=1, max_size=8).filter(
    lambda name: name not in {".", ".."}
)
folders = st.lists(names, max_size=4).map(lambda parts: Path("/").joinpath(*parts))
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
atlases = st.one_of(
    st.sampled_from(["aal2", "cit168", "schaefer200"]),
    st.builds(label_file_id, paths),
    st.builds(label_file_id, paths, paths),
)
files = st.builds(FileMap, paths)
regions = st.builds(RegionMask, atlases, st.lists(st.integers(1, 99), max_size=2).map(tuple))
fills = st.builds(ThresholdFill, st.just((1.0, 2.0, 3.0)), files, st.just(0), st.just(0.0), st.just(1.0), st.just(5.0))
strokes = st.builds(Stroke, st.just(((1.0, 2.0, 3.0),)), st.just(2.0))
drawings = st.builds(Drawing, files, st.lists(fills | strokes, max_size=2).map(tuple), st.none() | regions | files)
preparations = st.builds(Preparation, confounds=st.none() | paths, brain=st.none() | paths)
seeds = st.one_of(
    st.builds(CrosshairSeed),
    st.builds(PointSeed, st.just((4.0, 5.0, 6.0))),
    st.builds(MaskSeed, files | regions | drawings),
)
recipes = st.one_of(
    files, regions, drawings, st.builds(AtlasLabels, atlases), st.builds(SeedCorrelation, files, seeds, preparations)
)
overlays = st.builds(Overlay, st.integers(1, 9), recipes, names, modulation=st.none() | st.builds(Modulation, recipes))
views = st.builds(
    ViewState,
    overlays=st.lists(overlays, max_size=3).map(tuple),
    surface=st.builds(SurfaceView, cortex=st.none() | paths, regions=st.lists(regions, max_size=2).map(tuple)),
    atlases=st.lists(atlases, max_size=3).map(tuple),
    vouched=st.lists(st.builds(Vouched, atlases, st.just("MNI152")), max_size=2).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(views, folders)
def test_names_of_files_survive_being_written_relative_to_any_folder(view: ViewState, folder: Path) -> None:
    assert absolute(relative(view, folder), folder) == view


@settings(max_examples=50, deadline=None)
@given(views, folders)
def test_no_name_in_a_written_view_depends_on_where_the_folder_lies(view: ViewState, folder: Path) -> None:
    within = with_paths(view, lambda path: f"{folder}/{path.lstrip('/')}")
    moved = Path("/quite/elsewhere")
    again = absolute(relative(within, folder), moved)
    assert again == with_paths(view, lambda path: f"{moved}/{path.lstrip('/')}")
    assert not any(Path(path).is_absolute() for path in files_of(relative(within, folder)))


def test_every_kind_of_value_that_names_files_is_known() -> None:
    """Each file of a view that has one of everything is found, once."""
    seed = SeedCorrelation(
        FileMap("/run"),
        MaskSeed(
            Drawing(FileMap("/grid"), (ThresholdFill((0, 0, 0), FileMap("/fill"), 0, 0, 1, 2),), FileMap("/start"))
        ),
        Preparation(confounds="/confounds", brain="/brain"),
    )
    view = ViewState(
        overlays=(
            Overlay(1, seed, "seed", modulation=Modulation(FileMap("/modulation"))),
            Overlay(2, AtlasLabels("/labels::/table"), "atlas"),
            Overlay(3, FileMap("/run"), "again"),
        ),
        surface=SurfaceView(cortex="/cortex", regions=(RegionMask("/regions", (1,)), RegionMask("aal2", (1,)))),
        atlases=("cit168", "/own"),
        vouched=(Vouched("/vouched", "MNI152"),),
    )
    named = ["run", "grid", "fill", "start", "confounds", "brain", "modulation", "labels", "table"]
    assert sorted(files_of(view)) == sorted(f"/{name}" for name in [*named, "cortex", "regions", "own", "vouched"])


@given(paths, st.none() | paths)
def test_the_id_of_a_label_file_is_its_image_and_its_table(image: str, table: str | None) -> None:
    assert label_file(label_file_id(image, table)) == (image, table)


def test_a_view_is_read_as_it_was_saved_wherever_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = ViewState(overlays=(Overlay(1, FileMap(str(tmp_path / "data" / "a.nii")), "a"),), atlases=("aal2",))
    (tmp_path / "views").mkdir()
    monkeypatch.chdir(tmp_path)
    save_view("views/scene.json", view)
    assert '"../data/a.nii"' in Path("views/scene.json").read_text()
    monkeypatch.chdir(tmp_path / "views")
    assert read_view("scene.json") == saved_view("scene.json") == view


def test_a_view_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"the folder .* does not exist"):
        save_view(str(tmp_path / "absent" / "scene.json"), ViewState())
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "newer": (b'{"schema": "habena-view", "version": 2, "future": {}}', "written by a newer Habena"),
    "cut": (to_json(ViewState())[:-9], "not a Habena view"),
    "binary": (b"\x00\x01\xff\xfe" * 9, "not a Habena view"),
    "wrong number": (b'{"schema": "habena-view", "version": 1, "zoom": "large"}', "not a Habena view"),
    "unknown recipe": (
        b'{"schema": "habena-view", "version": 1, "overlays": [{"key": 1, "name": "a", "recipe": {"type": "new"}}]}',
        "not a Habena view",
    ),
    "deep": (b"[" * 200_000, "not a Habena view"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_scene_is_a_problem_that_names_it(damage: str, tmp_path: Path) -> None:
    content, said = DAMAGED[damage]
    scene = tmp_path / "scene.json"
    scene.write_bytes(content)
    with pytest.raises(Problem, match=said) as caught:
        read_view(str(scene))
    assert caught.value.where == str(scene)
    assert "\n" not in str(caught.value)


def test_a_scene_that_is_absent_or_a_folder_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(Problem, match="cannot be read"):
            read_view(str(path))


def test_a_scene_beyond_any_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "scene.json").open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(Problem, match="too large to be a view"):
        read_view(str(tmp_path / "scene.json"))


def test_a_picture_carries_a_view_of_any_name_and_a_long_drawing(tmp_path: Path) -> None:
    for name, n_points in (("  two  spaces & <quotes> \\ .nii", 3), ("脳 – мозг.nii", 3), ("long.nii", 40_000)):
        image = str(write_image(tmp_path / name, blob((0, 0, 0), 20)))
        drawn = Stroke(tuple((-20.123456, -20.123456, float(n % 30)) for n in range(n_points)), 3.0)
        layers = (Overlay(1, FileMap(image), "head"), Overlay(2, Drawing(FileMap(image), (drawn,)), "drawn"))
        view = ViewState(layout="axial", overlays=layers)
        results = Results(1 << 40)
        options = RenderOptions(size=(64, 64))
        picture = str(tmp_path / "a.png")
        write_picture(picture, view, answer_all(view, results), results, options, with_view=True)
        assert saved_view(picture) == view


def picture_with(path: Path, text: str | None) -> str:
    """A small picture that carries a text."""
    information = PngImagePlugin.PngInfo()
    if text is not None:
        information.add_itxt(VIEW_KEY, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=information)
    return str(path)


def test_a_picture_gives_back_its_view(tmp_path: Path) -> None:
    view = ViewState(overlays=(Overlay(1, FileMap(str(tmp_path / "schädel.nii")), "µ"),))
    assert saved_view(picture_with(tmp_path / "a.png", to_json(relative(view, tmp_path)).decode())) == view


@pytest.mark.parametrize("text", [None, "", "{", '{"schema": "habena-view", "version": 99}', "[]"])
def test_a_picture_without_a_view_that_can_be_read_is_a_problem(text: str | None, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        saved_view(picture_with(tmp_path / "a.png", text))
    assert caught.value.where == str(tmp_path / "a.png")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_a_picture_that_would_unpack_without_end_is_a_problem(tmp_path: Path) -> None:
    signature = b"\x89PNG\r\n\x1a\n"
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    packed = VIEW_KEY.encode() + b"\0\0" + zlib.compress(b" " * 100_000_000, 1)
    small = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    for name, content in (("wide.png", header), ("text.png", small + chunk(b"zTXt", packed)), ("cut.png", small[:-8])):
        (tmp_path / name).write_bytes(signature + content + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        with pytest.raises(Problem):
            saved_view(str(tmp_path / name))


def test_other_files_hold_no_view(tmp_path: Path) -> None:
    assert saved_view(str(write_image(tmp_path / "a.nii", blob((0, 0, 0), 9)))) is None

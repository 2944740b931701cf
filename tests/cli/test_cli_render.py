"""`habena render`: what is where in the picture, how overlays look, what the files are."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from command_line import SHAPE, blob, document, done, mm_of_voxels, pixels, refused, write_image
from habena.app.recipes import FileMap
from habena.app.sample import anatomy_file
from habena.app.saved import read_view, save_view, saved_view
from habena.app.state import Marks, Overlay, ViewState
from numpy.typing import NDArray
from PIL import Image

# right, behind, above: no axis looks like another, and none like its mirror image
BLOB_MM = (30.0, -22.0, 14.0)
SIZE = (300, 240)
SQUARE = ("--size", "300x240")
SVG = "{http://www.w3.org/2000/svg}"


class Images(NamedTuple):
    """A head and maps on it."""

    folder: Path
    head: Path
    map: Path


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """A grey ellipsoid round the origin; a map with one positive and one weak negative ball."""
    folder = tmp_path_factory.mktemp("images")
    mm = mm_of_voxels()
    head = np.linalg.norm(mm / (44, 50, 38), axis=-1) < 1
    head_file = write_image(folder / "sub-01_T1w.nii.gz", np.where(head, 100, 0).astype(np.float32), code=1)
    values = blob(BLOB_MM, 14, 6) + blob((-30, 20, 0), 12, -2)
    rng = np.random.default_rng(0)
    values += np.where(head, 0.2 * rng.standard_normal(SHAPE), 0).astype(np.float32)
    return Images(folder, head_file, write_image(folder / "sub-01_zmap.nii.gz", values, code=1))


@pytest.fixture
def draw(images: Images, tmp_path: Path) -> Callable[..., NDArray[np.int64]]:
    """Pixels of the head with what else is asked for."""
    count = iter(range(99))

    def draw(*words: object) -> NDArray[np.int64]:
        out = tmp_path / f"{next(count)}.png"
        done("render", images.head, *words, *SQUARE, "-o", out)
        return pixels(out)

    return draw


def warm(picture: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels of the positive colours, without the colour bar at the bottom."""
    found = picture[..., 0] > picture[..., 2] + 60
    found[int(0.82 * len(found)) :] = False
    return found


def crosshair(picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the green lines meet, in pixels to the right and up."""
    green = picture[..., 1] > np.maximum(picture[..., 0], picture[..., 2]) + 25
    return np.array([green.sum(axis=0).argmax(), -green.sum(axis=1).argmax()], float)


def from_crosshair(picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """From the crosshair to the middle of the positive ball, in pixels to the right and up."""
    y, x = np.nonzero(warm(picture))
    return np.array([x.mean(), -y.mean()]) - crosshair(picture)


# a place in the slice of the ball that is not the ball's, and how far the ball is from there, to the right and up
WHERE = {
    "axial": ((-10, 10, 14), (40, -32)),
    "coronal": ((-10, -22, -12), (40, 26)),
    "sagittal": ((30, 10, -12), (-32, 26)),
}


@pytest.mark.parametrize("layout", WHERE)
def test_right_is_right_front_is_up_and_right_and_top_is_up(layout: str, images: Images, draw) -> None:
    at, expected_mm = WHERE[layout]
    x, y, z = at
    picture = draw("--overlay", f"{images.map},threshold=4,cmap=warm", "--layout", layout, "--at", f"{x},{y},{z}")
    found = from_crosshair(picture)
    pixels_per_mm = found / expected_mm
    assert (pixels_per_mm > 0.5).all()
    assert pixels_per_mm[0] == pytest.approx(pixels_per_mm[1], rel=0.1)


@pytest.mark.parametrize("layout", WHERE)
def test_radiological_pictures_have_right_on_the_left(layout: str, images: Images, draw) -> None:
    x, y, z = WHERE[layout][0]
    words = ("--overlay", f"{images.map},threshold=4,cmap=warm", "--layout", layout, "--at", f"{x},{y},{z}")
    neurological, radiological = from_crosshair(draw(*words)), from_crosshair(draw(*words, "--radiological"))
    mirrored = -1 if layout != "sagittal" else 1
    np.testing.assert_allclose(radiological, neurological * (mirrored, 1), atol=2)


def test_slices_cut_at_the_place_asked_for(images: Images, draw) -> None:
    overlay = ("--overlay", f"{images.map},threshold=4,cmap=warm", "--layout", "axial")
    assert warm(draw(*overlay, "--at", "-10,10,14")).sum() > 100
    assert warm(draw(*overlay, "--at", "30,-22,-14")).sum() == 0


def test_by_default_slices_cut_at_the_peak_of_the_first_overlay(images: Images, tmp_path: Path) -> None:
    overlay = f"{images.map},threshold=4"
    done("render", images.head, "--overlay", overlay, "--with-view", *SQUARE, "-o", tmp_path / "a.png")
    view = saved_view(str(tmp_path / "a.png"))
    assert view is not None
    assert np.linalg.norm(np.subtract(view.crosshair_mm, BLOB_MM)) <= 14


def test_a_place_that_no_image_reaches_is_told(images: Images, tmp_path: Path) -> None:
    found = document("render", images.head, "--at", "0,0,500", *SQUARE, "-o", tmp_path / "a.png")
    assert [finding["code"] for finding in found["warnings"]] == ["outside"]


LETTERS = {
    "axial": "LRAP",
    "coronal": "LRSI",
    "sagittal": "APSI",
    "ortho": "LRAPSI",
    "lightbox": "LR",
    "surface": "APSI",
}


@pytest.fixture(scope="module")
def vectors(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vector picture in each layout."""
    folder = tmp_path_factory.mktemp("vectors")
    for layout in LETTERS:
        overlay = ("--overlay", f"{images.map},threshold=4,range=4:6")
        done("render", images.head, *overlay, "--layout", layout, "-o", folder / f"{layout}.svg", "--size", "500x400")
    return folder


@pytest.mark.parametrize("layout", LETTERS)
def test_every_layout_has_its_letters_as_real_text(layout: str, vectors: Path) -> None:
    root = ET.parse(vectors / f"{layout}.svg").getroot()  # noqa: S314 - our own file
    texts = ["".join(node.itertext()).strip() for node in root.iter(f"{SVG}text")]
    assert set(LETTERS[layout]) <= set(texts)
    assert any("sub-01_zmap" in text for text in texts), "the colour bar is named"
    assert root.find(f".//{SVG}image") is not None


def places(svg: Path) -> dict[str, float]:
    """Where texts stand across, by text."""
    root = ET.parse(svg).getroot()  # noqa: S314 - our own file
    found: dict[str, float] = {}

    def walk(node: ET.Element, shift: float) -> None:
        matrix = re.match(r"matrix\(([^)]*)\)", node.get("transform", ""))
        if matrix:
            shift += float(matrix[1].replace(" ", ",").split(",")[4])
        if node.tag == f"{SVG}text":
            found["".join(node.itertext()).strip()] = float(node.get("x", "0")) + shift
        for child in node:
            walk(child, shift)

    walk(root, 0.0)
    return found


def test_the_letters_change_sides_with_the_convention(images: Images, vectors: Path, tmp_path: Path) -> None:
    neurological = places(vectors / "axial.svg")
    assert neurological["L"] < neurological["R"]
    done("render", images.head, "--layout", "axial", "--radiological", *SQUARE, "-o", tmp_path / "r.svg")
    radiological = places(tmp_path / "r.svg")
    assert radiological["R"] < radiological["L"]


def test_layouts_draw_different_pictures(vectors: Path) -> None:
    pictures = {path.read_bytes() for path in vectors.iterdir()}
    assert len(pictures) == len(LETTERS)


# -- overlay options


def test_a_higher_threshold_hides_more(images: Images, draw) -> None:
    shown = [
        int(warm(draw("--overlay", f"{images.map},cmap=warm,range=0:6,threshold={t}", "--layout", "axial")).sum())
        for t in (0.1, 4, 7)
    ]
    assert shown[0] > shown[1] > shown[2] == 0


def test_a_threshold_counts_for_both_signs(images: Images, draw) -> None:
    def blue(threshold: float) -> int:
        options = f"{images.map},threshold={threshold},range=0.1:6"
        picture = draw("--overlay", options, "--layout", "axial", "--at", "-30,20,0")
        return int((picture[..., 2] > picture[..., 0] + 40)[: int(0.82 * SIZE[1])].sum())

    assert blue(1.5) > 50
    assert blue(2.5) == 0


def test_opacity_mixes_the_overlay_with_what_is_under_it(images: Images, draw) -> None:
    def colour(opacity: float) -> NDArray[np.float64]:
        options = f"{images.map},cmap=warm,threshold=4,range=3:6,opacity={opacity}"
        picture = draw("--overlay", options, "--layout", "axial", "--at", "-10,10,14")
        return picture[inside].mean(axis=0)

    inside = warm(draw("--overlay", f"{images.map},cmap=warm,threshold=4,range=3:6", "--layout", "axial",
                       "--at", "-10,10,14"))  # fmt: skip
    clear, half, full = colour(0), colour(0.5), colour(1)
    np.testing.assert_allclose(half, (clear + full) / 2, atol=3)
    assert np.ptp(clear) < 3, "only the grey head is left"


def test_the_range_places_the_colours(images: Images, draw) -> None:
    def mean_colour(high: float) -> NDArray[np.float64]:
        options = f"{images.map},cmap=warm,threshold=4,range=3:{high}"
        picture = draw("--overlay", options, "--layout", "axial", "--at", "-10,10,14")
        return picture[warm(picture)].mean(axis=0)

    assert mean_colour(6)[1] > mean_colour(20)[1] + 60, "the end of the table is yellow, its start is red"


def test_the_colour_map_is_the_one_asked_for(images: Images, draw) -> None:
    place = ("--layout", "axial", "--at", "-10,10,14")
    inside = warm(draw("--overlay", f"{images.map},cmap=warm,threshold=4,range=3:6", *place))
    for name, channel in (("oslo", 2), ("viridis", 1), ("lajolla", 0)):
        picture = draw("--overlay", f"{images.map},cmap={name},threshold=4,range=0:8", *place)
        assert int(picture[inside].mean(axis=0).argmax()) == channel


def test_fading_shows_what_hiding_hides(images: Images, draw) -> None:
    options = f"{images.map},cmap=warm,threshold=7,range=0:8"
    place = ("--layout", "axial", "--at", "-10,10,14")
    hidden, faded = (draw("--overlay", options + more, *place) for more in ("", ",fade"))
    assert warm(hidden).sum() == 0
    assert warm(faded).sum() > 100


def test_a_name_with_commas_is_a_name(images: Images, tmp_path: Path) -> None:
    name = tmp_path / "map, final,2.nii.gz"
    shutil.copy(images.map, name)
    done("render", images.head, "--overlay", f"{name},cmap=warm,fade", *SQUARE, "-o", tmp_path / "a.png")


def test_overlays_are_drawn_in_the_order_asked(images: Images, draw) -> None:
    lower, upper = (f"{images.map},cmap={name},threshold=4,range=0:6" for name in ("oslo", "warm"))
    place = ("--layout", "axial", "--at", "-10,10,14")
    assert warm(draw("--overlay", lower, "--overlay", upper, *place)).sum() > 100
    assert warm(draw("--overlay", upper, "--overlay", lower, *place)).sum() == 0


def test_without_an_underlay_maps_lie_on_the_anatomy_that_comes_with_the_program(images: Images, tmp_path) -> None:
    overlay = ("--overlay", f"{images.map},threshold=4", "--at", "0,0,0", *SQUARE)
    found = document("render", *overlay, "-o", tmp_path / "default.png")
    done("render", anatomy_file(), *overlay, "-o", tmp_path / "named.png")
    np.testing.assert_array_equal(pixels(tmp_path / "default.png"), pixels(tmp_path / "named.png"))
    assert found["warnings"] == []


def test_values_on_the_cortex_are_drawn_on_it_and_missed_aloud_where_there_is_none(tmp_path: Path) -> None:
    sulci = anatomy_file().parent / "fsaverage5" / "sulc_left.gii.gz"
    words = ("render", "--overlay", f"{sulci},cmap=viridis,threshold=-9,range=-1:1", *SQUARE)
    found = document(*words, "--layout", "surface", "-o", tmp_path / "surface.png")
    assert found["warnings"] == []
    picture = pixels(tmp_path / "surface.png")
    coloured = np.ptp(picture[: int(0.8 * SIZE[1])], axis=-1) > 40
    assert coloured[:, : SIZE[0] // 2].mean() > 0.2, "the left hemisphere stands on the left"
    assert coloured[:, SIZE[0] // 2 :].mean() < 0.02
    (finding,) = document(*words, "--layout", "axial", "-o", tmp_path / "axial.png")["warnings"]
    assert finding["code"] == "cortex-not-shown"


def test_values_on_the_cortex_alone_are_drawn_on_it_without_being_asked(tmp_path: Path) -> None:
    thickness = anatomy_file().parent / "fsaverage5" / "thick_right.gii.gz"
    assert document("render", thickness, *SQUARE, "-o", tmp_path / "a.png")["warnings"] == []
    coloured = np.ptp(pixels(tmp_path / "a.png")[: int(0.8 * SIZE[1])], axis=-1) > 40
    assert coloured[:, SIZE[0] // 2 :].mean() > 0.2, "the right hemisphere stands on the right"
    assert coloured[:, : SIZE[0] // 2].mean() < 0.02


def test_a_saved_view_of_the_cortex_says_what_slices_leave_out(tmp_path: Path) -> None:
    thickness = anatomy_file().parent / "fsaverage5" / "thick_right.gii.gz"
    view = ViewState(layout="surface", overlays=(Overlay(1, FileMap(str(thickness)), "thickness"),))
    save_view(str(tmp_path / "scene.json"), view)
    words = ("render", tmp_path / "scene.json", "--layout", "axial", *SQUARE, "-o", tmp_path / "a.png")
    (finding,) = document(*words)["warnings"]
    assert (finding["code"], finding["where"]) == ("cortex-not-shown", str(thickness))


def test_maps_are_drawn_on_the_surface_that_is_named(images: Images, tmp_path: Path) -> None:
    surface = tmp_path / "lh.pial.gii.gz"
    shutil.copy(anatomy_file().parent / "fsaverage5" / "pial_left.gii.gz", surface)
    words = ("--overlay", f"{images.head},cmap=warm,threshold=50,range=0:100", "--with-view", *SQUARE)
    assert document("render", surface, *words, "-o", tmp_path / "a.png")["warnings"] == []
    view = saved_view(str(tmp_path / "a.png"))
    assert view is not None
    assert (view.layout, view.surface.cortex) == ("surface", str(surface))
    middle = warm(pixels(tmp_path / "a.png"))[:, 100:200]
    assert middle.mean() > 0.1, "one hemisphere stands in the middle"


def test_values_on_a_mesh_that_is_not_at_hand_are_missed_aloud(tmp_path: Path, shared_data) -> None:
    data = shared_data("cifti/Conte69.MyelinAndCorrThickness.32k_fs_LR.dscalar.nii")
    words = ("render", "--overlay", data, "--layout", "surface", *SQUARE, "-o", tmp_path / "a.png")
    (finding,) = document(*words)["warnings"]
    assert finding["code"] == "cortex-not-shown"
    assert "32492 vertices" in finding["message"]


# -- the files


@pytest.fixture(scope="module")
def files(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same picture in every form, 420 x 300 at 150 dpi."""
    folder = tmp_path_factory.mktemp("forms")
    for ending in ("png", "tif", "tiff", "svg", "pdf", "html"):
        words = ("--overlay", f"{images.map},threshold=4", "--size", "420x300", "--dpi", 150)
        done("render", images.head, *words, "-o", folder / f"a.{ending}")
    return folder


@pytest.mark.parametrize("ending", ["png", "tif", "tiff"])
def test_pictures_have_the_size_and_resolution_asked_for(ending: str, files: Path) -> None:
    with Image.open(files / f"a.{ending}") as picture:
        assert picture.size == (420, 300)
        assert [round(float(dpi)) for dpi in picture.info["dpi"]] == [150, 150]
    np.testing.assert_array_equal(pixels(files / f"a.{ending}"), pixels(files / "a.png"))


def test_an_svg_has_the_size_asked_for(files: Path) -> None:
    root = ET.parse(files / "a.svg").getroot()  # noqa: S314 - our own file
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 420 300"


def test_a_pdf_is_one_page_of_exactly_the_size_with_embedded_fonts(files: Path) -> None:
    content = (files / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    boxes = re.findall(rb"/MediaBox \[([^\]]*)\]", content)
    assert len(boxes) == 1
    width, height = (float(number) for number in boxes[0].split()[2:])
    assert (width, height) == pytest.approx((420 / 150 * 72, 300 / 150 * 72), abs=0.5)
    assert b"/FontFile" in content


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_a_pdf_holds_its_letters_as_text(files: Path) -> None:
    text = subprocess.run(["pdftotext", files / "a.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert set("LRAPSI") <= set(text.split())
    assert "sub-01_zmap" in text


def test_a_page_holds_everything_and_asks_no_network(files: Path) -> None:
    page = (files / "a.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "<script" not in page
    assert "left is left (neurological)" in page
    (encoded,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        inside = np.asarray(picture.convert("RGB"), dtype=np.int64)
    np.testing.assert_array_equal(inside, pixels(files / "a.png"))


def test_a_file_name_cannot_put_markup_into_a_page(images: Images, tmp_path: Path) -> None:
    name = tmp_path / '"><script>alert(1)<.nii.gz'
    shutil.copy(images.map, name)
    done("render", name, *SQUARE, "-o", tmp_path / "a.html")
    assert "<script" not in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_the_same_call_writes_the_same_bytes(images: Images, files: Path, tmp_path: Path) -> None:
    words = ("--overlay", f"{images.map},threshold=4", "--size", "420x300", "--dpi", 150)
    done("render", images.head, *words, "-o", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == (files / "a.png").read_bytes()


def test_simulated_data_are_labelled_in_the_picture(images: Images, tmp_path: Path) -> None:
    shutil.copy(images.map, tmp_path / "desc-simulated_zmap.nii.gz")
    for name, labelled in ((tmp_path / "desc-simulated_zmap.nii.gz", True), (images.map, False)):
        done("render", images.head, "--overlay", name, *SQUARE, "-o", tmp_path / "a.svg")
        assert ("simulated data" in (tmp_path / "a.svg").read_text(encoding="utf-8")) == labelled


# -- pictures and scenes that carry the view


@pytest.fixture
def moved_together(images: Images, tmp_path: Path) -> Path:
    """A folder with images, a picture that carries its view and a scene, moved after they were written."""
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "data").mkdir(parents=True)
    for path in (images.head, images.map):
        shutil.copy(path, before / "data")
    words = ("--overlay", f"{before}/data/{images.map.name},threshold=4,cmap=vik,opacity=0.8", "--at", "10,-5,9")
    picture = before / "figure.png"
    done(
        *("render", before / "data" / images.head.name, *words, "--layout", "coronal", "--radiological"),
        *("--with-view", *SQUARE, "-o", picture),
    )
    view = saved_view(str(picture))
    assert view is not None
    save_view(str(before / "scene.json"), view)
    before.rename(after)
    return after


def test_a_picture_that_carries_its_view_and_a_scene_draw_the_same_picture_again(
    moved_together: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = pixels(moved_together / "figure.png")
    for source in ("figure.png", "scene.json"):
        done("render", moved_together / source, *SQUARE, "-o", tmp_path / "again.png")
        np.testing.assert_array_equal(pixels(tmp_path / "again.png"), expected)
    monkeypatch.chdir(moved_together)
    done("render", "figure.png", *SQUARE, "--with-view", "-o", "again.png")
    assert Path("again.png").read_bytes() == Path("figure.png").read_bytes()


def test_options_win_over_the_saved_view(moved_together: Path, tmp_path: Path) -> None:
    words = ("render", moved_together / "scene.json", "--layout", "axial", "--at", "1,2,3", "--with-view", *SQUARE)
    done(*words, "-o", tmp_path / "b.png")
    view = saved_view(str(tmp_path / "b.png"))
    assert view is not None
    assert (view.layout, view.crosshair_mm, view.radiological) == ("axial", (1, 2, 3), True)


def test_overlays_are_drawn_over_the_saved_view(moved_together: Path, images: Images, tmp_path: Path) -> None:
    words = ("--overlay", f"{images.map},cmap=warm", "--with-view", *SQUARE, "-o", tmp_path / "b.png")
    done("render", moved_together / "scene.json", *words)
    view = saved_view(str(tmp_path / "b.png"))
    assert view is not None
    assert [overlay.name for overlay in view.overlays] == ["sub-01_T1w", "sub-01_zmap", "sub-01_zmap"]


def test_without_asking_a_picture_tells_no_file_names(images: Images, tmp_path: Path) -> None:
    done("render", images.head, *SQUARE, "-o", tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert images.folder.name.encode() not in content
    assert "is a picture without a Habena view" in refused("render", tmp_path / "a.png", "-o", tmp_path / "b.png")


def test_a_scene_whose_image_is_gone_is_refused_by_the_name_of_the_image(moved_together: Path, tmp_path) -> None:
    (moved_together / "data" / "sub-01_zmap.nii.gz").unlink()
    said = refused("render", moved_together / "scene.json", "-o", tmp_path / "a.png")
    assert f"{moved_together}/data/sub-01_zmap.nii.gz: does not exist" in said


def test_a_scene_is_not_drawn_over_an_image_that_it_shows(moved_together: Path, tmp_path: Path) -> None:
    image = moved_together / "data" / "sub-01_zmap.nii.gz"
    (tmp_path / "a.png").hardlink_to(image)
    assert "would be overwritten" in refused("render", moved_together / "scene.json", "-o", tmp_path / "a.png")


@pytest.mark.parametrize("text", ['{"schema": "habena-view", "version": 99}', '{"schema": "habena-view"', "{}"])
def test_a_scene_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "scene.json").write_text(text)
    refused("render", tmp_path / "scene.json", "-o", tmp_path / "a.png")


def test_a_saved_view_without_layers_is_an_empty_picture(tmp_path: Path) -> None:
    save_view(str(tmp_path / "scene.json"), ViewState(layout="axial", marks=Marks(crosshair=False)))
    assert read_view(str(tmp_path / "scene.json")).overlays == ()
    done("render", tmp_path / "scene.json", *SQUARE, "-o", tmp_path / "a.png")


# -- one brain in 48 orientations


def test_one_brain_in_48_orientations_is_one_picture(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    files = sorted(shared_data("compat/nifti_space").glob("*.nii.gz"))
    assert len(files) == 48
    drawn: dict[str, NDArray[np.int64]] = {}
    for file in files:
        out = tmp_path / "a.png"
        done("render", file, "--at", "2,-7,5", "--size", "360x280", "-o", out)
        drawn[file.name] = pixels(out)
    expected: Any = drawn["RAS.nii.gz"]
    assert np.ptp(expected) > 200
    worst = {name: int(np.abs(picture - expected).max()) for name, picture in drawn.items()}
    assert {name: difference for name, difference in worst.items() if difference > 2} == {}

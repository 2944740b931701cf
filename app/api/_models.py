"""Models of a study: `model` and `group_seed`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from ._arguments import Band, Path_, Point, listed, name_of, preparation_of

if TYPE_CHECKING:
    from .app.group_seeding import GroupSeedResult
    from .app.model_results import ModelResult


def model(  # noqa: PLR0913 - the options of the command
    data: Path_,
    table: Path_,
    formula: str,
    *,
    contrasts: str | Sequence[str] = (),
    terms: bool = False,
    subject: str | None = None,
    within: str | None = None,
    exchange: str | None = None,
    exchange_mode: Literal["within", "whole"] = "within",
    voxelwise: Mapping[str, str] | None = None,
    permutations: int = 0,
    seed: int = 1,
    correction: Literal["none", "fdr", "fwe", "cluster-extent", "cluster-mass", "tfce"] = "none",
    cluster_threshold: float = 0.001,
    connectivity: Literal[6, 18, 26] = 6,
    tfce_h: float = 2.0,
    tfce_e: float = 0.5,
    mask: Path_ | None = None,
    region: str | None = None,
    atlas: str | None = None,
    surface: Path_ | None = None,
    one_sided: bool = False,
    across_tests: bool = False,
    variance: Literal["pooled", "by-group"] = "pooled",
    exclude: str | Sequence[str] = (),
    scheduler: str | None = None,
    out: Path_ | None = None,
) -> ModelResult:
    """Fit a linear model at every voxel, vertex or region, and test it.

    Parameters
    ----------
    data : path or str
        4D image or table of regions in the order of the table's rows; ``column:COL``, a column of files; or
        ``table``: the outcome is the formula's left side.
    table : path
        TSV or CSV, one row per scan.
    formula : str
        Such as ``~ group + age``.
    contrasts : str or sequence of str
        ``NAME=weights`` in the order of the columns, or ``NAME=expression`` of their names. Default: each column but
        the intercept.
    terms : bool
        Test every term instead: type III, sum-to-zero coding, F.
    subject, within : str
        Columns: who was scanned, and which of the repeated measures it is.
    exchange, exchange_mode
        Column of exchangeability blocks; rows are exchanged within blocks, or whole blocks are.
    voxelwise : mapping
        Covariates that have a value in every voxel: name, and column of files.
    permutations, seed : int
        The unpermuted data count as one more; permutation k depends on (seed, k) alone.
    correction : str
        Over the elements of a test.
    cluster_threshold : float
        Uncorrected p that forms clusters.
    connectivity : 6, 18 or 26
    tfce_h, tfce_e : float
    mask : path
    region, atlas : str
        Small volume, by a name that `regions` lists; clusters are named by the atlas too.
    surface : path
        What data on vertices belong to.
    one_sided : bool
        Tests of t look for positive effects only.
    across_tests : bool
        ``p_fwe`` is over all tests.
    variance : str
        ``by-group``: the groups of the first factor may differ in variance (Welch).
    exclude : str or sequence of str
        Subjects left out.
    scheduler : str
        Address of a dask scheduler whose workers share the permutations.
    out : path
        Folder for maps and tables, each with a JSON sidecar.

    Returns
    -------
    ModelResult
        ``tests``, ``clusters``, ``maps`` (paths), ``findings``; ``document()`` is what ``habena model --json`` prints.
    """
    from .app import modelling  # noqa: PLC0415 - importing habena stays quick
    from .app.models import Inference, Model  # noqa: PLC0415

    question = Model(
        data=os.fspath(data),
        table=os.fspath(table),
        formula=formula,
        contrasts=listed(contrasts),
        terms=terms,
        subject=subject,
        within=within,
        exchange=exchange,
        exchange_mode=exchange_mode,
        variance=variance,
        voxelwise=tuple((voxelwise or {}).items()),
        exclude=listed(exclude),
        mask=name_of(mask),
        region=region,
        atlas=atlas,
        surface=name_of(surface),
    )
    inference = Inference(
        permutations,
        seed,
        correction,
        cluster_threshold,
        connectivity,
        tfce_h,
        tfce_e,
        one_sided,
        across_tests,
    )
    return modelling.model(question, inference, name_of(out), scheduler)


def group_seed(  # noqa: PLR0913 - the options of the command
    table: Path_,
    *,
    column: str = "run",
    at: Point | None = None,
    radius: float = 0.0,
    region: str | None = None,
    atlas: str | None = None,
    mask: Path_ | None = None,
    formula: str = "~ 1",
    contrast: str | None = None,
    voxelwise: str | None = None,
    subject: str | None = None,
    within: str | None = None,
    drop: int = 0,
    fwhm: float = 0.0,
    detrend: int = 0,
    band: Band | None = None,
    confounds_column: str | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    out: Path_ | None = None,
) -> GroupSeedResult:
    """Correlate a seed with every voxel in each run of a study, and test Fisher z over runs.

    Parameters
    ----------
    table : path
        TSV or CSV, one row per run; paths are relative to it.
    column : str
        Column of runs.
    at, radius, region, atlas, mask
        The seed, as in `seed`.
    formula : str
        Of the runs, or of subjects where two scans are compared.
    contrast : str
        Weights, an expression of columns, or the name of one.
    voxelwise : str
        Column of images of a covariate.
    subject, within : str
        Columns: the second scan of each subject less the first is modelled.
    drop, fwhm, detrend, band, censor, brain
        Preparation of each run, as in `seed`.
    confounds_column, columns
        Column of tables of confounds, and the columns of those to remove.
    out : path
        Folder for the maps.

    Returns
    -------
    GroupSeedResult
        ``values`` (maps by name), ``model``, ``notes``, ``findings``; ``document()`` is the command's JSON.
    """
    from .app import group_seeding  # noqa: PLC0415 - importing habena stays quick
    from .app.group_models import GroupRequest  # noqa: PLC0415
    from .app.io.study_table import column_of, paths_of, read_table  # noqa: PLC0415
    from .app.seeding import SeedPlace  # noqa: PLC0415

    confounds = None
    if confounds_column is not None:  # the columns of the first table stand for all
        study = read_table(os.fspath(table))
        named = [row for row, there in enumerate(column_of(study, confounds_column).notna()) if there]
        confounds = next(iter(paths_of(study, confounds_column, named[:1])), None)
    preparation = preparation_of(drop, fwhm, detrend, band, confounds, columns, censor, brain)
    place = SeedPlace(at, radius, region, atlas, name_of(mask))
    request = GroupRequest(column, confounds_column, formula, contrast, voxelwise, subject, within)
    return group_seeding.group_seed(os.fspath(table), place, request, preparation, name_of(out))

"""What questions are called: in the bar of jobs, in messages, and which of them are of one kind."""

from __future__ import annotations

from .questions import (
    AtlasData,
    CortexData,
    ModelFit,
    ModelPermutations,
    PreparedGroup,
    PreparedRun,
    Projection,
    QualityOf,
    Question,
    RegionSurface,
)
from .recipes import (
    Drawing,
    FileMap,
    GraphMetric,
    GroupSeedMap,
    MatrixFile,
    ModelMap,
    NativeMap,
    Recipe,
    RegionMatrix,
    SeedCorrelation,
    StudyMap,
    label_file,
)


def family_of(recipe: Recipe) -> object:
    """What stays the same while an answer is renewed: an old map may stand in for a new one of the same family."""
    match recipe:
        case SeedCorrelation(run=run, preparation=preparation, measure=measure):
            return run, preparation, measure
        case Drawing(grid_of=grid_of):
            return grid_of
        case GraphMetric(a=a, b=b):
            return a, b
        case ModelMap(model=model, test=test, shown=shown):
            return model, test, shown
        case GroupSeedMap(runs=runs, preparation=preparation, model=model, measure=measure):
            return runs, preparation, model, measure
        case _:
            return recipe


def title_of(question: Question) -> str:
    """What a job says that it does."""
    title = _opening_of(question)
    match question:
        case RegionMatrix(runs=(FileMap(path=path),)):
            title = f"Correlating the regions of {name_of(path)}"
        case RegionMatrix():
            title = "Averaging matrices"
        case ModelFit(model=model):
            title = f"Fitting {model.formula}"
        case ModelPermutations(inference=inference, test=test):
            title = f"{inference.permutations} permutations of {test}"
        case PreparedGroup(runs=runs):
            title = f"Preparing {len(runs)} runs"
        case StudyMap():
            title = "Preparing a scan"
        case CortexData() | Projection():
            title = "Preparing the cortex"
        case RegionSurface():
            title = "Preparing a region"
        case _:
            pass
    return title or "Computing"


def _opening_of(question: Question) -> str:
    """What a job says that reads one file; empty for others."""
    match question:
        case FileMap(path=path) | MatrixFile(path=path) | NativeMap(path=path):
            return f"Opening {name_of(path)}"
        case PreparedRun(run=FileMap(path=path)):
            return f"Preparing {name_of(path)}"
        case QualityOf(run=FileMap(path=path)):
            return f"Looking at the quality of {name_of(path)}"
        case AtlasData(id=atlas):
            return f"Reading atlas {name_of(label_file(atlas)[0])}"
        case _:
            return ""


def name_of(path: str) -> str:
    """Last part of a path."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path

"""Standard spaces: which may be combined, and what to say when they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from .atlas import AtlasInfo
from .atlas_names import words_of
from .problems import Finding

Level = Literal["same", "family", "different", "unknown"]


class Template(NamedTuple):
    """A standard space: its name, the family of spaces that nearly coincide, and what it is."""

    name: str
    family: str
    title: str


_MNI152 = "MNI152"
_ALL = (
    Template("MNI152", _MNI152, "MNI152, variant not stated"),
    Template("MNI152Lin", _MNI152, "MNI152, linear average"),
    Template("MNI152NLin6Sym", _MNI152, "MNI152, 6th generation, symmetric"),
    Template("MNI152NLin6Asym", _MNI152, "MNI152, 6th generation (FSL)"),
    *(
        Template(f"MNI152NLin2009{release}{form}", _MNI152, f"MNI152, 2009{release}, {title}")
        for release in "abc"
        for form, title in (("Sym", "symmetric"), ("Asym", "asymmetric"))
    ),
    Template("IXI549Space", _MNI152, "SPM12, aligned to MNI152"),
    Template("MNIColin27", _MNI152, "Colin 27, one person in MNI space"),
    Template("MNI305", "MNI305", "MNI305, linear average"),
    Template("fsaverage", "MNI305", "fsaverage of FreeSurfer, in MNI305 coordinates"),
    Template("fsaverageSym", "fsaverageSym", "symmetric fsaverage of FreeSurfer"),
    Template("fsLR", "fsLR", "fsLR of the Human Connectome Project"),
    Template("ICBM452AirSpace", "ICBM452", "average of 452, linear"),
    Template("ICBM452Warp5Space", "ICBM452", "average of 452, fifth order"),
    Template("Talairach", "Talairach", "Talairach and Tournoux 1988"),
    Template("OASIS30ANTs", "OASIS30ANTs", "average of OASIS, ANTs"),
    Template("NIHPD", "NIHPD", "children, NIH"),
    Template("MNIPediatricAsym", "MNIPediatricAsym", "children, MNI"),
    Template("MNIInfant", "MNIInfant", "infants, MNI"),
    Template("UNCInfant", "UNCInfant", "infants, UNC"),
    Template("PNC", "PNC", "Philadelphia cohort"),
    Template("NKI", "NKI", "Nathan Kline Institute"),
)
_BY_NAME = {template.name.casefold(): template for template in _ALL}
_ALIASES = {
    **dict.fromkeys(("mni152nlin6asymconte69", "fslmni152", "mni152nlin6"), "mni152nlin6asym"),
    **dict.fromkeys(("mni", "icbm152", "mni152nlin"), "mni152"),
    **dict.fromkeys(("fsaverage3", "fsaverage4", "fsaverage5", "fsaverage6"), "fsaverage"),
    **dict.fromkeys(("colin27", "colin"), "mnicolin27"),
    **dict.fromkeys(("spm12", "ixi549"), "ixi549space"),
    "mni152variantnotstated": "mni152",
}

SAME_AS_IMAGES = "same as the images"
"""What the user says of a label image of one person: it lies where that person's images lie, whatever space it is."""
_NATIVE = frozenset(("individual", "native", "t1w", "t2w", "orig", "scanner", "func", "bold", "boldref", "anat", "pet"))

HABENULA_SHIFT_MM = 1.1
"""Right habenula: x = 3.6 mm in MNI152NLin2009cAsym, 2.5 mm in MNI152NLin6Asym."""
MNI305_SHIFT_MM = 2.1
"""At (10, -20, 35) mm, by the affine between MNI152 and MNI305 that FreeSurfer documents (mni152.register.dat)."""

_HABENULA = (
    "the right habenula lies at x = 3.6 mm in MNI152NLin2009cAsym and at 2.5 mm in MNI152NLin6Asym, "
    "more than half its width apart"
)


class Fit(NamedTuple):
    """Whether coordinates of one space may be read in another, and what to say about it.

    Attributes
    ----------
    level : str
        ``same``; ``family``: nearly the same coordinates, say so; ``different``: needs a transform;
        ``unknown``: no region names.
    message : str
        One sentence; empty when there is nothing to say.
    shift_mm : float or None
        A measured distance between the two, where there is one.
    """

    level: Level
    message: str
    shift_mm: float | None = None

    @property
    def names_regions(self) -> bool:
        """Whether region names may be shown."""
        return self.level in {"same", "family"}


def template_names() -> tuple[str, ...]:
    """Names of all standard spaces that are known."""
    return tuple(template.name for template in _ALL)


def known_template(name: str | None) -> Template | None:
    """The standard space that a name means, in any spelling; None when it is none that is known."""
    key = "".join(words_of(name or ""))
    return _BY_NAME.get(_ALIASES.get(key, key))


def compatible(space: str | None, template: str | None) -> Fit:
    """How an image's space fits an atlas's template.

    Parameters
    ----------
    space : str or None
        Space of the image, as its name, sidecar or header says.
    template : str or None
        Template of the atlas.
    """
    image, atlas = known_template(space), known_template(template)
    if image is None:
        return Fit("unknown", _unknown_image(space))
    if atlas is None:
        said = template or "not stated"
        return Fit("unknown", f"the atlas's space is {said}: no region names are shown")
    if image.family != atlas.family:
        shift = MNI305_SHIFT_MM if {image.family, atlas.family} == {"MNI152", "MNI305"} else None
        far = f" (they lie {shift} mm apart at 10, -20, 35)" if shift else ""
        message = f"the image is in {image.name}, the atlas in {atlas.name}{far}: transform one of them first"
        return Fit("different", message, shift)
    if image == atlas and image.name != "MNI152":
        return Fit("same", "")
    return _within_family(image, atlas)


def findings(space: str | None, atlases: Iterable[AtlasInfo]) -> tuple[Finding, ...]:
    """What to say when regions of atlases are used on an image, one Finding per atlas that does not fit exactly."""
    fits = ((info, compatible(space, info.template)) for info in atlases)
    return tuple(
        Finding(f"template-{fit.level}", info.id, fit.shift_mm, f"{info.title}: {fit.message}")
        for info, fit in fits
        if fit.level != "same"
    )


def _unknown_image(space: str | None) -> str:
    """Why no region names can be shown on an image."""
    if not space:
        return "the image does not say which space it is in: no region names are shown"
    if "".join(words_of(space)) in _NATIVE:
        return f"the image is in the person's own space ({space}): no region names are shown without a transform"
    return f"the image's space, {space}, is none that is known: no region names are shown"


def _within_family(image: Template, atlas: Template) -> Fit:
    """Fit of two spaces that nearly coincide."""
    names = {image.name, atlas.name}
    pair = f"the image is in {image.name}, the atlas in {atlas.name}"
    if names == {"MNI152NLin2009cAsym", "MNI152NLin6Asym"}:
        return Fit("family", f"{pair}: {_HABENULA}", HABENULA_SHIFT_MM)
    if "MNIColin27" in names:
        return Fit("family", f"{pair}: Colin 27 is one person's brain, whose folds are not those of the average")
    return Fit("family", f"{pair}, and variants of MNI152 differ: {_HABENULA}")

"""What is used of nibabel, through one door.

Two threads that begin with different parts of nibabel at once both fail, each finding the other's half imported. A
module is imported by one thread at a time, so whoever needs a part takes it from here. It takes a tenth of a second:
import it inside functions where a start must be quick.
"""

import nibabel
from nibabel.brikhead import AFNIHeader
from nibabel.cifti2.parse_cifti2 import Cifti2Parser
from nibabel.ecat import (
    EcatHeader,
    EcatSubHeader,
    data_type_codes,
    get_frame_order,
    patient_orient_neurological,
    patient_orient_radiological,
    read_mlist,
)
from nibabel.fileholders import FileHolder
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage, GiftiMetaData
from nibabel.gifti.parse_gifti_fast import GiftiImageParser
from nibabel.imageglobals import logger
from nibabel.minc1 import Minc1Image
from nibabel.minc2 import Minc2Image
from nibabel.nifti1 import Nifti1Header, Nifti1Image
from nibabel.nifti2 import Nifti2Header
from nibabel.orientations import aff2axcodes
from nibabel.parrec import PARRECError, PARRECHeader

__all__ = [
    "AFNIHeader",
    "Cifti2Parser",
    "EcatHeader",
    "EcatSubHeader",
    "FileHolder",
    "GiftiDataArray",
    "GiftiImage",
    "GiftiImageParser",
    "GiftiMetaData",
    "MGHHeader",
    "Minc1Image",
    "Minc2Image",
    "Nifti1Header",
    "Nifti1Image",
    "Nifti2Header",
    "PARRECError",
    "PARRECHeader",
    "aff2axcodes",
    "data_type_codes",
    "get_frame_order",
    "logger",
    "nibabel",
    "patient_orient_neurological",
    "patient_orient_radiological",
    "read_mlist",
]

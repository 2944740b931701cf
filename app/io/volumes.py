"""Images in space and time: opened by their header, read frame by frame."""

from __future__ import annotations

import shutil
from pathlib import Path
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray

from ..grid import Grid
from ..problems import Problem
from .decode import to_rgba, to_series, to_values
from .files import regular_file, replacing, writing
from .gzip_source import GzipSource
from .identify import identify, stem
from .layout import Header, Layout, Report, VolumeKind, Voxel, unpacked_as
from .memory import in_words, require
from .sources import FileSource, ReaderSource, Source, cut_short
from .unpacker import check_length, refuse_bomb
from .volume_info import VolumeInfo, read_header, volume_info

INSTEAD = {
    "cifti": ("holds CIFTI grayordinates, not a volume", "open it as an overlay on surfaces"),
    "surface": ("is a surface, not a volume", "open it as a surface"),
    "surface-data": ("holds one value per vertex of a surface, not a volume", "open it as an overlay on a surface"),
    "annot": ("is a parcellation of a surface, not a volume", "open it as an overlay on a surface"),
    "dicom": ("is a DICOM file, one slice or volume of a series", "open its folder, so that the series is converted"),
    "dicom-folder": ("is a folder of DICOM files, not a volume", "open it as a folder, so that it is converted"),
    "folder": ("is a folder, not a volume", "name a file in it"),
    "table": ("is a table, not a volume", "name an image"),
    "scene": ("is a scene, not a volume", "open it as a scene"),
    "sidecar": ("is a JSON file, not a volume", "name the image beside it"),
    "picture": ("is a picture, not a volume", "name a NIfTI or other image"),
}


def open_volume(path: str | Path) -> Volume:
    """Open an image by its header; its voxels are read when they are asked for.

    Parameters
    ----------
    path : path
        NIfTI-1 or 2, ANALYZE, MGH, AFNI, PAR/REC, ECAT 7 or MINC; of a pair, either file.

    Raises
    ------
    Problem
        When it is not an image, its header makes no sense, or the file cannot hold what its header promises.
    """
    path = Path(path)
    found = identify(path)
    if found.kind != "volume":
        raise Problem(path, *INSTEAD[found.kind])
    header = read_header(found)
    _check_size(header)
    return Volume(volume_info(path, header), header)


class Volume:
    """An open image.

    Uncompressed files stay on disk and are read frame by frame. Compressed ones are unpacked front to back as far
    as frames are asked for; `load` unpacks the rest. All methods may be called from any thread.

    Attributes
    ----------
    info : VolumeInfo
        What is known of it.
    """

    def __init__(self, info: VolumeInfo, header: Header) -> None:
        self.info = info
        self._header = header
        self._original = _source(info.path, header)
        self._source = self._original
        self._spilled: Path | None = None
        self._kept: tuple[int, NDArray[np.float32]] | None = None

    @property
    def grid(self) -> Grid:
        """Shape and affine of a frame."""
        return self.info.space.grid

    @property
    def n_frames(self) -> int:
        """Number of frames, 1 for a 3D image."""
        return self.info.n_frames

    @property
    def kind(self) -> VolumeKind:
        """Scalar values, RGB colours, or complex numbers that are shown as magnitude."""
        return self.info.kind

    @property
    def frames_ready(self) -> int:
        """Frames, from the first, that can be had without waiting."""
        return self._source.frames_ready

    @property
    def nbytes(self) -> int:
        """Bytes held in memory now."""
        return self._source.nbytes + (self._kept[1].nbytes if self._kept else 0)

    @property
    def bytes_needed(self) -> int:
        """Bytes held in memory once loaded: the stored type of compressed files, 0 for files read in place."""
        return self._source.bytes_needed

    def ready(self, index: int) -> bool:
        """Whether `frame(index)` would not wait for unpacking."""
        return index < self._source.frames_ready

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """Values of one frame.

        Returns
        -------
        (nx, ny, nz) float32, Fortran order, read-only
            Scaled; NaN where there is no finite value; the magnitude of complex values.

        Raises
        ------
        Problem
            When the file is cut short, damaged, changed or gone, does not fit into memory, or holds colours.
        """
        self._check_index(index)
        if self.kind == "rgb":
            raise Problem(self.info.path, "holds colours, not values", "choose an image of numbers")
        kept = self._kept
        if kept and kept[0] == index:
            return kept[1]
        raw = self._source.raw(index)
        require(self.info.path, raw.size * np.dtype(np.float32).itemsize)
        values = to_values(raw, self._header.scaling, index)
        self._kept = (index, values)
        return values

    def rgba(self, index: int = 0) -> NDArray[np.uint8]:
        """Colours of one frame of an RGB image, (nx, ny, nz, 4) uint8, read-only.

        Raises
        ------
        Problem
            As `frame`, and when the image holds values.
        """
        self._check_index(index)
        if self.kind != "rgb":
            raise Problem(self.info.path, "holds values, not colours", "show it with a colour map")
        return to_rgba(self._source.raw(index))

    def series(self, ijk: Voxel) -> NDArray[np.float32]:
        """Values of one voxel in all frames, (n_frames,) float32, NaN where empty; waits for all frames.

        Raises
        ------
        Problem
            As `frame`.
        """
        if not all(0 <= index < size for index, size in zip(ijk, self.grid.shape, strict=True)):
            raise IndexError(f"voxel {ijk} is outside {self.grid.shape}")
        if self.kind == "rgb":
            raise Problem(self.info.path, "holds colours, not values", "choose an image of numbers")
        return to_series(self._source.voxel(ijk), self._header.scaling, ijk[2])

    def load(self, report: Report | None = None) -> None:
        """Make all frames ready, in the caller's thread.

        Parameters
        ----------
        report : callable, optional
            Called with the share of the file that is read; what it raises stops the work, which a later call resumes.

        Raises
        ------
        DoesNotFit
            When the unpacked file is larger than the free memory; `spill` is the way out.
        Problem
            When the file is cut short or damaged. The frames before stay available.
        """
        self._source.load(report)

    def check_end(self) -> None:
        """Make sure that a compressed file is not cut short; cheap where its last bytes state the right length.

        Raises
        ------
        Problem
            When it is cut short or damaged. (Uncompressed files are compared with their size when opened.)
        """
        layout = self._header.voxels
        if isinstance(layout, Layout) and layout.compressed:
            check_length(layout)

    def spill(self, folder: Path, report: Report | None = None) -> None:
        """Unpack a compressed image into a temporary file, and read from there until `close`.

        Parameters
        ----------
        folder : path
            Where the file is made; it appears whole or not at all.
        report : callable, optional
            Called with the share of the file that is read; what it raises stops the work and leaves nothing behind.

        Raises
        ------
        Problem
            When there is no room, or as `frame`.
        """
        layout = self._header.voxels
        if self._spilled or not isinstance(layout, Layout) or not layout.compressed:
            return
        size = layout.frame_bytes * layout.n_frames
        with writing(folder):
            free = shutil.disk_usage(folder).free
        if size > free:
            raise Problem(folder, f"has {in_words(free)} free and {in_words(size)} are needed", "choose another folder")
        path = folder / f"{stem(layout.path)}-{token_hex(4)}.raw"
        with replacing(path) as file:
            for raw in self._original.stream(report):
                file.write(raw.T.view(np.uint8).data)
        self._spilled, self._source = path, FileSource(unpacked_as(layout, path, regular_file(path)))
        self._original.close()

    def close(self) -> None:
        """Give back memory and temporary files; a later access reads again. Frames handed out stay valid."""
        self._kept = None
        self._source = self._original
        self._original.close()
        if self._spilled:
            self._spilled.unlink(missing_ok=True)
            self._spilled = None

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} of {self.n_frames}")


def _check_size(header: Header) -> None:
    """Compare the sizes that a header promises with the file, before anything is made of them."""
    layout = header.voxels
    if not isinstance(layout, Layout):
        return
    if layout.compressed:
        refuse_bomb(layout)
    elif layout.end > layout.stamp.size:
        raise cut_short(layout, layout.stamp.size)


def _source(path: Path, header: Header) -> Source:
    """Where a header's frames come from."""
    layout = header.voxels
    if not isinstance(layout, Layout):
        return ReaderSource(path, layout, header.n_frames)
    return GzipSource(layout) if layout.compressed else FileSource(layout)

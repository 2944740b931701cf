"""An off-screen VTK window whose pixels are read back.

The same path serves the screen (a widget paints the picture), figures, tests and the command line.
"""

from __future__ import annotations

import os
import sys

import numpy as np

if sys.platform.startswith("linux"):
    # Off-screen rendering needs no X server, and without one VTK's X window writes warnings.
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

# Importing these registers VTK's OpenGL implementation and its font renderer.
from vtkmodules import vtkRenderingFreeType, vtkRenderingOpenGL2
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

from .scene import Picture

__all__ = ["Offscreen", "vtkRenderingFreeType", "vtkRenderingOpenGL2"]


class Offscreen:
    """A render window without a window."""

    def __init__(self, *, multi_samples: int = 0) -> None:
        self.window = vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(multi_samples)
        self.window.SetDPI(72)  # one point is one pixel: sizes come scaled
        self._pixels = vtkUnsignedCharArray()
        self._renderers: list[vtkRenderer] = []

    def add_renderer(self) -> vtkRenderer:
        """A new renderer over the whole window."""
        renderer = vtkRenderer()
        self.window.AddRenderer(renderer)
        self._renderers.append(renderer)
        return renderer

    def resize(self, width: int, height: int) -> None:
        """Size in pixels."""
        if tuple(self.window.GetSize()) != (width, height):
            self.window.SetSize(width, height)

    def picture(self) -> Picture:
        """Render and read back: (height, width, 4) uint8, row 0 at the top."""
        width, height = self.window.GetSize()
        self.window.Render()
        self.window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, self._pixels)  # pyright: ignore[reportArgumentType] - stub
        picture = np.ascontiguousarray(vtk_to_numpy(self._pixels).reshape(height, width, 4)[::-1])
        picture[..., 3] = 255  # where nothing was drawn VTK leaves the alpha of its own buffer
        return picture

    def backend(self) -> str:
        """Name of the OpenGL renderer, such as ``llvmpipe``."""
        self.window.Render()
        report = self.window.ReportCapabilities() or ""
        lines = [line.split(":", 1) for line in report.splitlines() if ":" in line]
        facts = {key.strip(): value.strip() for key, value in lines}
        return facts.get("OpenGL renderer string", "unknown")

    def close(self) -> None:
        """Free everything: `Finalize` alone leaks some megabytes each."""
        for renderer in self._renderers:
            renderer.RemoveAllViewProps()
            self.window.RemoveRenderer(renderer)
        self._renderers.clear()
        self.window.Finalize()
        self._pixels = vtkUnsignedCharArray()

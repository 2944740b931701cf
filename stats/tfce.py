"""Threshold-free cluster enhancement, as the exact integral and not as a sum over steps."""

from __future__ import annotations

import numpy as np
from numba import njit

from .arrays import Float32, Float64, Int32, Int64, read_only
from .errors import CannotCompute
from .neighbours import Neighbours
from .threads import split

WORTH_A_THREAD = 20_000  # elements
DIGIT = 11  # bits; three digits make up a float32
MASK = np.uint32((1 << DIGIT) - 1)
LARGEST = np.uint32(0x7FFFFFFF)


def tfce(values: Float32, neighbours: Neighbours, h: float = 2.0, e: float = 0.5, *, two_sided: bool = True) -> Float32:
    """Enhance every element by the clusters that it is part of at all thresholds up to its own value.

    The score of an element of value v is the integral of ``extent(x)**e * x**h`` over thresholds x from 0 to v, where
    extent(x) is that of the connected elements at or above x around it. Extents change only where x passes a value, so
    the integral is a sum over the components that the element belongs to, each of constant extent between two
    heights: a walk up the component tree. No step width is involved.

    Parameters
    ----------
    values : (V,) float32
        A statistic. Positive and negative elements never support each other.
    neighbours : Neighbours
        Of the same V elements. Extents are in its units: voxels, or mm² of a surface.
    h, e : float
        Exponents of height and extent, 2 and 0.5 unless told.
    two_sided : bool
        Whether negative values are enhanced as well, as ``-tfce(-values)``; else they become 0.

    Returns
    -------
    (V,) float32
        With the sign of the values; NaN where they are NaN or infinite.

    Raises
    ------
    CannotCompute
        When the numbers of elements differ, or an exponent is negative or not finite.

    References
    ----------
    Smith and Nichols 2009, NeuroImage 44:83-98, equation 1. The tree: Najman and Couprie 2006, IEEE Transactions on
    Image Processing 15:3531-3539.
    """
    if values.shape != neighbours.size.shape:
        raise CannotCompute(
            f"the map has {values.size} elements, its neighbourhood {neighbours.size.size}",
            "make both of the same mask or surface",
        )
    if not (0 <= h < np.inf and 0 <= e < np.inf):
        raise CannotCompute(f"TFCE has no exponents H = {h:g} and E = {e:g}", "give 2 and 0.5, or others from 0")
    height = read_only(np.ascontiguousarray(values, dtype=np.float32))
    result = np.where(np.isfinite(height), np.float32(0), np.float32(np.nan))
    graph = read_only(neighbours.start), read_only(neighbours.index), read_only(neighbours.size)

    def halves(first: int, last: int) -> None:
        for sign in (1, -1)[first:last]:
            _enhance(height, np.float32(sign), graph, (float(h), float(e)), result)

    sides = 2 if two_sided else 1
    split(halves, sides, smallest=1 if height.size >= WORTH_A_THREAD else sides)
    return result


@njit(cache=True, nogil=True)
def _enhance(
    values: Float32,
    sign: np.float32,
    graph: tuple[Int64, Int32, Float32],
    exponents: tuple[float, float],
    result: Float32,
) -> None:
    """Scores of the elements of one sign; all others are left as they are."""
    start, index, size = graph
    order = _descending(values, sign)
    first, count, higher = _higher_neighbours(start, index, order, values.size)
    tree = _component_tree(first, count, higher, order, size)
    _sum_down(values, order, tree, exponents, sign, result)


@njit(cache=True, nogil=True)
def _descending(values: Float32, sign: np.float32) -> Int32:
    """Elements of one sign from the highest to the lowest; of equal ones the first first.

    Positive floats sort as their bits do: a radix sort of three digits.
    """
    bits = values.view(np.uint32)
    element, key = np.empty(values.size, np.int32), np.empty(values.size, np.uint32)
    places = np.zeros((3, MASK + 1), np.int64)
    n = 0
    for v in range(values.size):
        if 0 < sign * values[v] < np.inf:
            element[n] = v
            key[n] = LARGEST - (bits[v] & LARGEST)
            for digit in range(3):
                places[digit, (key[n] >> np.uint32(DIGIT * digit)) & MASK] += 1
            n += 1
    element, key = element[:n], key[:n]
    sorted_element, sorted_key = np.empty(n, np.int32), np.empty(n, np.uint32)
    for digit in range(3):
        before = 0
        for value in range(MASK + 1):
            number = places[digit, value]
            places[digit, value] = before
            before += number
        for i in range(n):
            value = (key[i] >> np.uint32(DIGIT * digit)) & MASK
            place = places[digit, value]
            places[digit, value] += 1
            sorted_element[place] = element[i]
            sorted_key[place] = key[i]
        element, sorted_element = sorted_element, element
        key, sorted_key = sorted_key, key
    return element


@njit(cache=True, nogil=True)
def _higher_neighbours(start: Int64, index: Int32, order: Int32, n_elements: int) -> tuple[Int64, Int32, Int32]:
    """Of each element in order: its neighbours that come before it, by their place in the order.

    Elements are visited as they lie in memory, where neighbours are near, and not in their order: what is random
    access is written, not read, and that is four times as fast.
    """
    n = order.size
    rank = np.full(n_elements, n, np.int32)
    for i in range(n):
        rank[order[i]] = i
    first, count = np.zeros(n, np.int64), np.zeros(n, np.int32)
    for v in range(n_elements):
        if rank[v] < n:
            first[rank[v]] = start[v + 1] - start[v]
    room = 0
    for i in range(n):
        degree = first[i]
        first[i] = room
        room += degree
    higher = np.empty(room, np.int32)
    for v in range(n_elements):
        i = rank[v]
        if i < n:
            m = first[i]
            for e in range(start[v], start[v + 1]):
                other = rank[index[e]]
                higher[m] = other  # overwritten by the next unless it comes before: no branch to guess
                m += other < i
            count[i] = m - first[i]
    return first, count, higher


@njit(cache=True, nogil=True)
def _component_tree(first: Int64, count: Int32, higher: Int32, order: Int32, size: Float32) -> tuple[Int32, Float64]:
    """Parent (-1 for roots) and extent of each node; a node is an element, and stands for the component it closes.

    Elements come from the highest on and join the components that they touch, by union-find with the larger
    component's root kept. Of equal elements in one component only the last has all of its extent; the others lie no
    higher than their parents, so that their extents count nothing.
    """
    n = order.size
    up = np.empty(n, np.int32)  # union-find
    node = np.empty(n, np.int32)  # of a root of the union-find: the lowest element of its component so far
    parent = np.full(n, -1, np.int32)
    extent = np.empty(n, np.float64)
    for i in range(n):
        up[i] = i
        root, largest = i, -1.0
        total = np.float64(size[order[i]])
        for m in range(first[i], first[i] + count[i]):
            other = higher[m]
            while up[other] != other:
                up[other] = up[up[other]]
                other = up[other]
            if other == root:
                continue
            below = node[other]
            parent[below] = i
            total += extent[below]
            if extent[below] > largest:
                largest = extent[below]
                up[root] = other
                root = other
            else:
                up[other] = root
        node[root] = i
        extent[i] = total
    return parent, extent


@njit(cache=True, nogil=True)
def _sum_down(
    values: Float32,
    order: Int32,
    tree: tuple[Int32, Float64],
    exponents: tuple[float, float],
    sign: np.float32,
    result: Float32,
) -> None:
    """From the roots on: a node's score is its parent's and what lies between their heights."""
    (parent, extent), (h, e) = tree, exponents
    integral, score = np.empty(order.size), np.empty(order.size)
    for i in range(order.size - 1, -1, -1):
        height = np.float64(abs(values[order[i]]))
        power = height**3 if h == 2 else height ** (h + 1)
        weight = np.sqrt(extent[i]) if e == 0.5 else extent[i] ** e
        integral[i] = power / (h + 1)
        score[i] = weight * integral[i]
        if parent[i] >= 0:
            score[i] = score[parent[i]] + weight * (integral[i] - integral[parent[i]])
        result[order[i]] = sign * score[i]


def compile_kernels() -> None:
    """Compile for the types that are used."""
    pair = Neighbours(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2, np.float32))
    tfce(np.array([1, -1], np.float32), pair)

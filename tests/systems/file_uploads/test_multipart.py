"""Multipart arithmetic, beside S3's published limits."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems import file_uploads as fu

MIB = 1024 * 1024


@given(st.integers(0, 10**6), st.integers(1, 10**5))
def test_pieces_are_the_file(size, part):
    """Pieces are numbered from 1 and follow one another; all but the last are full."""
    if size / part > 10_000:
        return
    pieces = fu.pieces_of(size, part)
    assert [piece.number for piece in pieces] == list(range(1, len(pieces) + 1))
    assert pieces[0].start == 0
    assert pieces[-1].stop == size
    assert all(a.stop == b.start for a, b in itertools.pairwise(pieces))
    assert all(piece.stop - piece.start == part for piece in pieces[:-1])


def test_a_gibibyte_is_205_parts():
    """1 GiB in S3's smallest parts."""
    assert len(fu.pieces_of(1024 * MIB, fu.LEAST_PART)) == 205


@given(st.integers(0, 48 * 1024 * 1024 * MIB))
def test_part_size_keeps_the_limits(size):
    """At most 10,000 parts of at least 5 MiB, and no part size a MiB larger than it must be."""
    part = fu.part_size_for(size)
    assert part >= fu.LEAST_PART
    assert part % MIB == 0
    assert -(-size // part) <= fu.MOST_PARTS
    if part > fu.LEAST_PART:
        assert -(-size // (part - MIB)) > fu.MOST_PARTS


PARTS = {n: fu.Stored(5, fu.etag(bytes([n])), f"file {n}") for n in range(1, 5)}
LIST = [(n, part.etag) for n, part in PARTS.items()]


def test_complete():
    """The list decides which parts, and gaps between numbers are allowed."""
    assert fu.check_complete(LIST, PARTS, least=5) == list(PARTS.values())
    assert fu.check_complete([LIST[0], LIST[3]], PARTS, least=5) == [PARTS[1], PARTS[4]]


@pytest.mark.parametrize(
    "listed",
    [
        [],
        [LIST[1], LIST[0]],
        [LIST[0], LIST[0]],
        [(5, LIST[0][1])],
        [(1, LIST[1][1])],
        [(1, "")],
    ],
)
def test_bad_lists(listed):
    """An empty list, a wrong order, an unknown part or another ETag closes nothing."""
    with pytest.raises(fu.Refused, match=r"^400"):
        fu.check_complete(listed, PARTS, least=5)


def test_small_parts():
    """A part below the least size is refused unless it is the last."""
    assert fu.check_complete(LIST[:1], PARTS)
    with pytest.raises(fu.Refused, match="all but the last need 5,242,880"):
        fu.check_complete(LIST[:2], PARTS)


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_part_numbers(number):
    """Part numbers go from 1 to 10,000."""
    fu.check_number(1), fu.check_number(10_000)
    with pytest.raises(fu.Refused, match=r"^400"):
        fu.check_number(number)


def test_etag_depends_on_the_cut():
    """The same bytes cut elsewhere have another ETag: it is no checksum of the file."""
    one = fu.etag_of_parts([fu.etag(b"ab"), fu.etag(b"c")])
    other = fu.etag_of_parts([fu.etag(b"a"), fu.etag(b"bc")])
    assert one != other
    assert one.endswith('-2"')

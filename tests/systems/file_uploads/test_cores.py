"""The pure cores: offsets, life cycle, checksums, metadata, names, types, grants."""

import base64
import hashlib
import posixpath
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab.published import entry
from course_lib.systems import file_uploads as fu
from course_lib.systems.file_uploads.lifecycle import STATUS

SIZES = st.integers(0, 2000)
SECRET = b"secret"
GRANT = fu.Grant("PUT", "/objects/cat", expires=1000, size=50, kind="image/png")


def refused(status: int):
    """A context in which the core must refuse with this status."""
    return pytest.raises(fu.Refused, match=f"^{status}: ")


# Offsets


@given(st.lists(st.tuples(SIZES, st.integers(0, 60)), max_size=20), st.integers(1, 500))
def test_only_the_next_bytes(requests, length):
    """Whatever is sent, the offset grows by accepted sizes alone and never passes the length."""
    offset = 0
    for claimed, size in requests:
        if fu.status_of_append(offset, length, claimed, size) == 204:
            assert claimed == offset
            offset += size
        assert 0 <= offset <= length


@given(SIZES, SIZES, SIZES)
def test_twice_is_a_conflict(offset, size, more):
    """A chunk that was appended is a conflict when it comes again, unless it is empty."""
    length = offset + size + more
    assert fu.status_of_append(offset, length, offset, size) == 204
    again = fu.status_of_append(offset + size, length, offset, size)
    assert again == (409 if size else 204)


def test_conflict_says_where():
    """A refusal tells the true offset, so that a client need not ask."""
    with refused(409) as caught:
        fu.check_append(70, 100, 60, 10)
    assert caught.value.headers == {"Upload-Offset": "70"}


@given(st.integers(0, 2**63 - 1))
def test_whole_numbers(number):
    """Every offset there is can be read."""
    assert fu.whole_number("N", str(number)) == number


@pytest.mark.parametrize(
    "text", [None, "", "-1", "+1", "1_0", " 1", "1 ", "0x1", "1.0", "٣", str(2**63), "9" * 40]
)
def test_no_whole_number(text):
    """What is no plain number from 0 to 2^63 - 1 is a bad request, never an error."""
    with refused(400):
        fu.whole_number("N", text)


# Life cycle


@given(SIZES, SIZES, st.floats(0, 1e9), st.floats(0, 1e9))
def test_states(offset, more, expires, now):
    """An upload with all its bytes is complete for ever; another expires at its time."""
    assert fu.state_of(offset, offset, expires, now) == "complete"
    state = fu.state_of(offset, offset + more + 1, expires, now)
    assert state == ("open" if now < expires else "expired")


def test_every_state_answers_every_action():
    """The table has an answer for each pair, and each reachable state is in it."""
    states = {state for state, _ in STATUS}
    actions = {action for _, action in STATUS}
    assert len(STATUS) == len(states) * len(actions)
    assert {pair[0] for pair in fu.TRANSITIONS} | set(fu.TRANSITIONS.values()) == states
    for (state, action), status in STATUS.items():
        if status < 400:
            assert fu.require(state, action) == status
        else:
            with refused(status):
                fu.require(state, action)


# Checksums


@given(st.sampled_from(["sha256", "sha1", "md5"]), st.binary(max_size=200))
def test_checksum_round_trip(algorithm, data):
    """What was written can be read, and fits these bytes."""
    checksum = fu.Checksum.parse(fu.Checksum.of(algorithm, data).header)
    checksum.check(hashlib.new(algorithm, data).digest())


@given(st.binary(min_size=1, max_size=50), st.data())
def test_every_bit_counts(data, draw):
    """One flipped bit, wherever, is 460."""
    bit = draw.draw(st.integers(0, 8 * len(data) - 1))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    with refused(460):
        fu.Checksum.of("sha1", data).check(hashlib.sha1(changed).digest())


def test_checksum_of_the_protocol():
    """The example of the tus document: sha1 of "hello world"."""
    example = entry("file_uploads.checksum_example").value
    assert fu.Checksum.of("sha1", b"hello world").header == example


@pytest.mark.parametrize(
    "header", ["", "sha1", "sha1 ", "crc32 AAAA", "SHA1 AAAA", "sha1 !!!", "sha1 AAAA", "sha1 é"]
)
def test_unclear_checksum(header):
    """What cannot be read as a checksum is 400."""
    with refused(400):
        fu.Checksum.parse(header)


# Metadata

KEYS = st.text(st.characters(codec="ascii", exclude_characters=", ", min_codepoint=33), min_size=1)


@given(st.dictionaries(KEYS, st.binary(max_size=30), max_size=5))
def test_metadata_round_trip(values):
    """Any bytes come back from a header that is plain ASCII."""
    header = fu.encode_metadata(values)
    assert header.isascii()
    if len(header) <= 4096 and header.isprintable():
        assert fu.parse_metadata(header) == values


@given(st.text(max_size=60))
def test_metadata_never_fails(header):
    """Any text is read or refused with 400."""
    try:
        status = 200 if fu.parse_metadata(header) is not None else 0
    except fu.Refused as wrong:
        status = wrong.status
    assert status in (200, 400)


@pytest.mark.parametrize("header", ["a!", "a YQ==,a Yg==", ",", "a YQ", "a Y!==", "ä YQ=="])
def test_bad_metadata(header):
    """Empty and repeated keys, and values that are no Base64, are refused."""
    if header == "a!":
        assert fu.parse_metadata(header) == {"a!": b""}
        return
    with refused(400):
        fu.parse_metadata(header)


# Names

ATTACKS = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/../../b",
    "..\\..\\windows\\system.ini",
    "C:\\boot.ini",
    "%2e%2e%2fetc",
    "....//....//etc",
    "nul.txt",
    "CON",
    "a\x00.png",
    "a\r\nSet-Cookie: x=1",
    ".bashrc",
    "x" * 999,
    "\u202egnp.exe",
]


@given(st.one_of(st.text(max_size=300), st.sampled_from(ATTACKS)))
def test_names_stay_in_their_folder(name):
    """Any name becomes one that lies in its folder, is short, and is safe twice over."""
    safe = fu.safe_name(name)
    joined = posixpath.normpath(posixpath.join("/srv/uploads", safe))
    assert posixpath.dirname(joined) == "/srv/uploads"
    assert 0 < len(safe.encode()) <= 200
    assert fu.safe_name(safe) == safe
    assert not safe.startswith(".")


@given(st.text(max_size=100))
def test_disposition_is_one_ascii_line(name):
    """The header holds no quote, no line break and no letter beyond ASCII."""
    header = fu.content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert '"' not in header


def test_plain_names_are_kept():
    """Letters of any script, spaces and dots inside stay."""
    for name in ("cat.jpg", "naïve film.tar.gz", "写真 1.png", "a-b_c"):
        assert fu.safe_name(name) == name


# Types


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"<script>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_types(head, kind):
    """Each signature is known, and near misses are not."""
    assert fu.sniff(head) == kind


@given(st.binary(max_size=16))
def test_fits_what_it_sniffs(head):
    """A file fits the type that its bytes show, and no other known one."""
    assert fu.fits(fu.sniff(head), head)
    assert fu.fits("image/png", head) == (fu.sniff(head) == "image/png")


# Grants


def check(grant=GRANT, signature=None, now=0.0, size=10, kind="image/png"):
    """Verify a request that would pass, with something changed."""
    fu.verify(SECRET, grant, signature or fu.sign(SECRET, GRANT), now, size, kind)


def test_grant_passes():
    """What was granted passes, up to the last second and the last byte."""
    check()
    check(now=999.9, size=50)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"now": 1000.0}, 403),
        ({"size": 51}, 413),
        ({"kind": "text/html"}, 415),
        ({"signature": "0" * 64}, 403),
        ({"signature": "é"}, 403),
        ({"signature": fu.sign(b"other", GRANT)}, 403),
        ({"grant": replace(GRANT, method="DELETE")}, 403),
        ({"grant": replace(GRANT, path="/objects/dog")}, 403),
        ({"grant": replace(GRANT, expires=2000)}, 403),
        ({"grant": replace(GRANT, size=10**9)}, 403),
        ({"grant": replace(GRANT, kind="text/html"), "kind": "text/html"}, 403),
    ],
)
def test_grant_is_bound(change, status):
    """Everything in a grant is signed, and what it allows is checked."""
    with refused(status):
        check(**change)


def test_hmac_of_the_rfc():
    """The signature is HMAC-SHA256: its key and text of RFC 4231, test case 2, give its digest."""
    import hmac

    digest = hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest()
    assert digest.startswith("5bdcc146bf60754e6a042426089575c7")
    text = GRANT.text.encode()
    assert fu.sign(b"Jefe", GRANT) == hmac.new(b"Jefe", text, hashlib.sha256).hexdigest()


def test_no_two_grants_look_alike():
    """A line break, which separates the fields, cannot be part of one."""
    with pytest.raises(ValueError, match="line breaks"):
        fu.sign(SECRET, replace(GRANT, path="/objects/cat\n1000"))


def test_comparison_takes_constant_time(monkeypatch):
    """The signature is compared by hmac.compare_digest, whole, and by nothing else."""
    import hmac

    seen = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((a, b)) or compare(a, b))
    with refused(403):
        check(signature="x")
    assert seen == [(fu.sign(SECRET, GRANT).encode(), b"x")]


def test_presigned_link():
    """A link holds the grant and its signature, and nothing of the secret."""
    link = fu.presign(SECRET, GRANT)
    assert link.startswith("/objects/cat?expires=1000&size=50&type=image%2Fpng&signature=")
    assert base64.b64encode(SECRET).decode() not in link

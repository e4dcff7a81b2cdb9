"""Chapter 29's experiments: the harness, direct uploads, memory, and what the sliders run.

worlds.py, direct.py, memory.py, transfer.py; the sliders themselves: controls.py.
"""

from course_lib.experiments.file_uploads.direct import (
    Direct,
    Uploaded,
    attacks,
    direct_upload,
    direct_world,
    in_parts,
)
from course_lib.experiments.file_uploads.memory import popular_memory, tus_memory
from course_lib.experiments.file_uploads.transfer import (
    KIB,
    MIB,
    MODES,
    STATES,
    Transfer,
    drops,
    mean_of,
    picture,
    transfer,
)
from course_lib.experiments.file_uploads.worlds import (
    TUS,
    appended,
    attempts,
    beside,
    broken_places,
    client,
    patch,
    resumable,
    server,
    watched,
)

__all__ = [
    "KIB",
    "MIB",
    "MODES",
    "STATES",
    "TUS",
    "Direct",
    "Transfer",
    "Uploaded",
    "appended",
    "attacks",
    "attempts",
    "beside",
    "broken_places",
    "client",
    "direct_upload",
    "direct_world",
    "drops",
    "in_parts",
    "mean_of",
    "patch",
    "picture",
    "popular_memory",
    "resumable",
    "server",
    "transfer",
    "tus_memory",
    "watched",
]

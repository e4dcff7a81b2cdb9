"""File uploads: resumable (tus), direct to a store (presigned), and in parts (as S3 does).

The pure cores: offsets.py, lifecycle.py, checksum.py, metadata.py, names.py, content.py.
Where bytes live: disk.py, catalog.py, storage.py, cleanup.py. At the edge: tus.py, progress.py,
client.py. To learn from: popular.py.
"""

from course_lib.systems.file_uploads import popular
from course_lib.systems.file_uploads.catalog import Catalog, Part, Upload
from course_lib.systems.file_uploads.checksum import Checksum
from course_lib.systems.file_uploads.cleanup import Swept, is_orphan, sweep, terminate
from course_lib.systems.file_uploads.client import GaveUp, ResumingClient, Sent, backoff
from course_lib.systems.file_uploads.content import sniff
from course_lib.systems.file_uploads.disk import Disk, LocalDisk
from course_lib.systems.file_uploads.lifecycle import STATUS, TRANSITIONS, require, state_of
from course_lib.systems.file_uploads.metadata import encode_metadata, http_date, parse_metadata
from course_lib.systems.file_uploads.names import content_disposition, safe_name
from course_lib.systems.file_uploads.offsets import check_append, status_of_append, whole_number
from course_lib.systems.file_uploads.progress import event_stream, progress_of
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import Rules, Storage
from course_lib.systems.file_uploads.tus import tus_app
from course_lib.systems.file_uploads.waste import (
    best_chunk,
    expected_sent,
    expected_time,
    young_chunk,
)

__all__ = [
    "STATUS",
    "TRANSITIONS",
    "Catalog",
    "Checksum",
    "Disk",
    "GaveUp",
    "LocalDisk",
    "Part",
    "Refused",
    "ResumingClient",
    "Rules",
    "Sent",
    "Storage",
    "Swept",
    "Upload",
    "backoff",
    "best_chunk",
    "check_append",
    "content_disposition",
    "encode_metadata",
    "event_stream",
    "expected_sent",
    "expected_time",
    "http_date",
    "is_orphan",
    "parse_metadata",
    "popular",
    "progress_of",
    "require",
    "safe_name",
    "sniff",
    "state_of",
    "status_of_append",
    "sweep",
    "terminate",
    "tus_app",
    "whole_number",
    "young_chunk",
]

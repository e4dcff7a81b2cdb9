"""File uploads: resumable (tus), direct to a store (presigned), and in parts (as S3 does).

The pure cores: offsets.py, lifecycle.py, checksum.py, metadata.py, names.py, content.py,
presign.py, multipart.py, waste.py. Where bytes live: disk.py, catalog.py, storage.py, cleanup.py,
objects.py, object_store.py. At the edge: tus.py, progress.py, client.py, store_routes.py,
direct.py, service.py. To learn from: popular.py.
"""

from course_lib.systems.file_uploads import popular
from course_lib.systems.file_uploads.catalog import Catalog, Part, Upload
from course_lib.systems.file_uploads.checksum import Checksum
from course_lib.systems.file_uploads.cleanup import Swept, is_orphan, sweep, terminate
from course_lib.systems.file_uploads.client import GaveUp, ResumingClient, Sent, backoff
from course_lib.systems.file_uploads.content import fits, sniff
from course_lib.systems.file_uploads.direct import Direct, direct_app
from course_lib.systems.file_uploads.disk import Disk, LocalDisk
from course_lib.systems.file_uploads.lifecycle import STATUS, TRANSITIONS, require, state_of
from course_lib.systems.file_uploads.metadata import encode_metadata, http_date, parse_metadata
from course_lib.systems.file_uploads.multipart import (
    LEAST_PART,
    MOST_PARTS,
    Piece,
    Stored,
    check_complete,
    check_number,
    etag,
    etag_of_parts,
    part_size_for,
    pieces_of,
)
from course_lib.systems.file_uploads.names import content_disposition, safe_name
from course_lib.systems.file_uploads.object_store import Store, sign_event
from course_lib.systems.file_uploads.objects import Multipart, Object, Objects
from course_lib.systems.file_uploads.offsets import check_append, status_of_append, whole_number
from course_lib.systems.file_uploads.presign import Grant, presign, sign, verify
from course_lib.systems.file_uploads.progress import event_stream, progress_of
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.service import service, storage_in
from course_lib.systems.file_uploads.storage import Rules, Storage
from course_lib.systems.file_uploads.store_routes import StoreRoutes, store_app
from course_lib.systems.file_uploads.tus import Tus, tus_app
from course_lib.systems.file_uploads.waste import (
    best_chunk,
    expected_sent,
    expected_time,
    young_chunk,
)

__all__ = [
    "LEAST_PART",
    "MOST_PARTS",
    "STATUS",
    "TRANSITIONS",
    "Catalog",
    "Checksum",
    "Direct",
    "Disk",
    "GaveUp",
    "Grant",
    "LocalDisk",
    "Multipart",
    "Object",
    "Objects",
    "Part",
    "Piece",
    "Refused",
    "ResumingClient",
    "Rules",
    "Sent",
    "Storage",
    "Store",
    "StoreRoutes",
    "Stored",
    "Swept",
    "Tus",
    "Upload",
    "backoff",
    "best_chunk",
    "check_append",
    "check_complete",
    "check_number",
    "content_disposition",
    "direct_app",
    "encode_metadata",
    "etag",
    "etag_of_parts",
    "event_stream",
    "expected_sent",
    "expected_time",
    "fits",
    "http_date",
    "is_orphan",
    "parse_metadata",
    "part_size_for",
    "pieces_of",
    "popular",
    "presign",
    "progress_of",
    "require",
    "safe_name",
    "service",
    "sign",
    "sign_event",
    "sniff",
    "state_of",
    "status_of_append",
    "storage_in",
    "store_app",
    "sweep",
    "terminate",
    "tus_app",
    "verify",
    "whole_number",
    "young_chunk",
]

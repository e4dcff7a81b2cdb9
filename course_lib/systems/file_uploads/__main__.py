"""Runs the tus server under uvicorn: see service.py."""

import argparse
from pathlib import Path

import uvicorn

from course_lib.systems.file_uploads.service import service

parser = argparse.ArgumentParser(description="A tus 1.0 server.")
parser.add_argument("folder", type=Path, help="where uploads are kept")
parser.add_argument("--port", type=int, default=8000)
chosen = parser.parse_args()
uvicorn.run(service(chosen.folder), port=chosen.port, log_level="warning", access_log=False)

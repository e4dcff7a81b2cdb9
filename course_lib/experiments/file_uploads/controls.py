"""The sliders of chapter 29's experiment, and the settings worth a name."""

from __future__ import annotations

from course_lib.experiments.file_uploads import MODES
from course_lib.show import choice, slider

__all__ = ["TRANSFER", "TRANSFER_SCENARIOS"]

TRANSFER = (
    choice("kept", MODES, label="server keeps"),
    slider("chunk", 512, 128, 4096, step=128, unit="KiB"),
    slider("parallel", 1, 1, 8, unit="connections", label="parts at once"),
    slider("between_drops", 4, 1, 32, unit="MiB", label="between drops"),
    slider("bandwidth", 1.0, 0.5, 8.0, step=0.5, unit="MiB/s"),
    slider("rtt", 100, 10, 500, step=10, unit="ms"),
    slider("pause", 0.5, 0.1, 5.0, step=0.1, unit="s", label="wait after a drop"),
)
TRANSFER_SCENARIOS = {
    "starts again at zero": {"kept": "nothing", "between_drops": 6},
    "large chunks on a bad line": {"kept": "whole chunks", "chunk": 4096, "between_drops": 2},
    "tiny chunks, far away": {"kept": "whole chunks", "chunk": 128, "rtt": 500},
    "far away, eight at once": {"chunk": 128, "rtt": 500, "parallel": 8},
    "every byte counts": {"kept": "every byte", "chunk": 4096, "between_drops": 2},
}

"""What a learner sees and turns: the player, the sliders, predictions, sources and tables."""

from course_lib.show.controls import Choice, Slider, choice, slider
from course_lib.show.effects import sequence_of
from course_lib.show.markdown import Markdown
from course_lib.show.player import Player, play
from course_lib.show.predict import Predict, Reveal, predict
from course_lib.show.source import source
from course_lib.show.tables import table
from course_lib.show.trace import (
    Cells,
    Histogram,
    Lanes,
    Level,
    Sequence,
    Series,
    States,
    Trace,
)
from course_lib.show.tune import Tune, tune

__all__ = [
    "Cells",
    "Choice",
    "Histogram",
    "Lanes",
    "Level",
    "Markdown",
    "Player",
    "Predict",
    "Reveal",
    "Sequence",
    "Series",
    "Slider",
    "States",
    "Trace",
    "Tune",
    "choice",
    "play",
    "predict",
    "sequence_of",
    "slider",
    "source",
    "table",
    "tune",
]

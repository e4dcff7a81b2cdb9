"""All attacks that are a cell. To add one, append it to one of the modules in `cells`; the runner
does the rest.
"""

from tests.grading.attacks.attack import Attack
from tests.grading.attacks.cells.judges import JUDGES
from tests.grading.attacks.cells.machine import MACHINE
from tests.grading.attacks.cells.network import NETWORK
from tests.grading.attacks.cells.protocol import PROTOCOL
from tests.grading.attacks.cells.reading import READING
from tests.grading.attacks.cells.resources import RESOURCES
from tests.grading.attacks.cells.shown import SHOWN
from tests.grading.attacks.cells.tampering import TAMPERING
from tests.grading.attacks.cells.writing import WRITING

__all__ = ["ATTACKS"]

ATTACKS: tuple[Attack, ...] = (
    *TAMPERING,
    *READING,
    *WRITING,
    *NETWORK,
    *RESOURCES,
    *MACHINE,
    *PROTOCOL,
    *JUDGES,
    *SHOWN,
)

"""The four services of the order workflow as data: a row of numbers each, and what changes it.

An action is one UPDATE. A row that does not fit the condition is not changed, and that is a
refusal: no stock, no money, no room in the van. Leaves out: HTTP (participant.py), and items,
customers and vans in the plural, of which the workflow needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SERVICES", "Action", "Order", "Service"]

TAKE = "CASE name WHEN 'shop' THEN :amount ELSE -:amount END"


@dataclass(frozen=True)
class Order:
    """What somebody ordered; `amount` in cents.

    >>> Order("order-1").amount
    4000
    """

    id: str
    customer: str = "ann"
    item: str = "lamp"
    quantity: int = 1
    amount: int = 4000


@dataclass(frozen=True)
class Action:
    """One UPDATE of a service: `change` where `condition`; `undoes` names what it takes back."""

    name: str
    table: str
    change: str
    condition: str
    undoes: str = ""
    undone_by: str = ""

    @property
    def statement(self) -> str:
        """The UPDATE; an undo changes nothing where there is nothing to undo.

        >>> SERVICES["stock"].action("reserve").statement
        'UPDATE item SET on_hand = on_hand - :quantity WHERE name = :item AND on_hand >= :quantity'
        """
        where = f"{self.condition} AND {DONE_BEFORE}" if self.undoes else self.condition
        return f"UPDATE {self.table} SET {self.change} WHERE {where}"


DONE_BEFORE = (
    "EXISTS (SELECT 1 FROM journal WHERE order_id = :id AND action = :undoes AND changed > 0)"
)


@dataclass(frozen=True)
class Service:
    """A service: its name, its table, its actions, and what two-phase commit locks in it."""

    name: str
    schema: str
    actions: tuple[Action, ...]
    resource: str

    def action(self, name: str) -> Action:
        """The action of this name, or KeyError."""
        return {action.name: action for action in self.actions}[name]


def _pair(
    do: str, undo: str, table: str, plus: str, minus: str, where: str, row: str
) -> tuple[Action, Action]:
    """An action and the one that takes it back; `row` finds the row, `where` may refuse it."""
    return (
        Action(do, table, plus, f"{row} AND {where}", undone_by=undo),
        Action(undo, table, minus, row, undoes=do),
    )


SERVICES = {
    service.name: service
    for service in (
        Service(
            "stock",
            "CREATE TABLE item (name TEXT PRIMARY KEY, on_hand INTEGER CHECK (on_hand >= 0))",
            _pair(
                "reserve",
                "release",
                "item",
                plus="on_hand = on_hand - :quantity",
                minus="on_hand = on_hand + :quantity",
                row="name = :item",
                where="on_hand >= :quantity",
            ),
            resource="item",
        ),
        Service(
            "payment",
            "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER CHECK (balance >= 0))",
            _pair(
                "charge",
                "refund",
                "account",
                plus=f"balance = balance + {TAKE}",
                minus=f"balance = balance - {TAKE}",
                row="name IN ('shop', :customer)",
                where="(SELECT balance FROM account WHERE name = :customer) >= :amount",
            ),
            resource="customer",
        ),
        Service(
            "shipping",
            "CREATE TABLE van (name TEXT PRIMARY KEY, loaded INTEGER, room INTEGER)",
            (Action("ship", "van", "loaded = loaded + 1", "loaded < room"),),
            resource="id",
        ),
        Service(
            "notification",
            "CREATE TABLE mailbox (name TEXT PRIMARY KEY, sent INTEGER)",
            (Action("notify", "mailbox", "sent = sent + 1", "name = :customer"),),
            resource="id",
        ),
    )
}

"""The four services of the order workflow as data: a row of numbers each, and what changes it.

An action is one UPDATE. A row that does not fit the condition is not changed, and that is a
refusal: no stock, no money, no room, no address. Leaves out: HTTP (participant.py), and items,
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
    address: str = "Lyon"


@dataclass(frozen=True)
class Action:
    """One UPDATE of a service: `change` where `condition`; `undoes` names what it takes back.

    `locks` is the field of the order that names what two-phase commit locks: the item, say.
    """

    name: str
    table: str
    change: str
    condition: str
    locks: str
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
    """A service: its name, its table and its actions."""

    name: str
    schema: str
    actions: tuple[Action, ...]

    def action(self, name: str) -> Action:
        """The action of this name, or KeyError."""
        return {action.name: action for action in self.actions}[name]


ENOUGH = "(SELECT balance FROM account WHERE name = :customer) >= :amount"

RESERVE = Action(
    "reserve",
    "item",
    "on_hand = on_hand - :quantity",
    "name = :item AND on_hand >= :quantity",
    locks="item",
    undone_by="release",
)
RELEASE = Action(
    "release",
    "item",
    "on_hand = on_hand + :quantity",
    "name = :item",
    locks="item",
    undoes="reserve",
)
CHARGE = Action(
    "charge",
    "account",
    f"balance = balance + {TAKE}",
    f"name IN ('shop', :customer) AND {ENOUGH}",
    locks="customer",
    undone_by="refund",
)
REFUND = Action(
    "refund",
    "account",
    f"balance = balance - {TAKE}",
    "name IN ('shop', :customer)",
    locks="customer",
    undoes="charge",
)
SHIP = Action("ship", "van", "loaded = loaded + 1", "loaded < room AND :address <> ''", locks="id")
NOTIFY = Action("notify", "mailbox", "sent = sent + 1", "name = :customer", locks="id")

ITEM = "CREATE TABLE item (name TEXT PRIMARY KEY, on_hand INTEGER CHECK (on_hand >= 0))"
ACCOUNT = "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER CHECK (balance >= 0))"
VAN = "CREATE TABLE van (name TEXT PRIMARY KEY, loaded INTEGER, room INTEGER)"
MAILBOX = "CREATE TABLE mailbox (name TEXT PRIMARY KEY, sent INTEGER)"

SERVICES = {
    "stock": Service("stock", ITEM, (RESERVE, RELEASE)),
    "payment": Service("payment", ACCOUNT, (CHARGE, REFUND)),
    "shipping": Service("shipping", VAN, (SHIP,)),
    "notification": Service("notification", MAILBOX, (NOTIFY,)),
}

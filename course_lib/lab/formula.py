"""Formula: a closed form written as text, such as "L * (1 + x / W)", evaluated exactly.

Only numbers, names, + - * / **, brackets, floor, ceil, min, max and exp: a data file can hold a
formula, and nothing else. Arithmetic is in fractions, so that 100/60 a second for 60 seconds is
100 and not a little more or less. Left out: roots and logarithms, until a chapter needs them.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

__all__ = ["FormulaError", "Number", "evaluate", "exact"]

Number = int | float | str | Fraction

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda base, power: Fraction(base**power),
}
_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "min": min,
    "max": max,
    "exp": lambda value: Fraction(math.exp(value)),
}


class FormulaError(ValueError):
    """A formula that cannot be read or evaluated; the message says where."""


def exact(number: Number) -> Fraction:
    """The fraction that was meant: "5/3" and 1.6666666666666667 are both 5/3.

    A float stands for the nearest fraction with a denominator of at most a million.
    """
    fraction = Fraction(number)
    return fraction.limit_denominator(10**6) if isinstance(number, float) else fraction


def evaluate(formula: str, parameters: Mapping[str, Number]) -> int | float:
    """The value of `formula` for these parameters: an int where it is whole, else a float.

    >>> evaluate("L * (1 + x / W)", {"L": 100, "W": 60, "x": 45})
    175
    """
    try:
        value = _value(ast.parse(formula, mode="eval").body, parameters)
    except (SyntaxError, ZeroDivisionError, OverflowError) as error:
        raise FormulaError(f"The formula {formula!r} cannot be evaluated: {error}.") from error
    return value.numerator if value.denominator == 1 else float(value)


def _value(node: ast.expr, parameters: Mapping[str, Number]) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return exact(number)
        case ast.Name(id=name) if name in parameters:
            return exact(parameters[name])
        case ast.Name(id=name):
            known = ", ".join(parameters) or "none"
            raise FormulaError(f"The formula needs a value for {name!r}; given: {known}.")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, parameters)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, parameters), _value(right, parameters))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument, parameters) for argument in args))
    raise FormulaError(f"A formula may not hold {ast.unparse(node)!r}.")

"""Refusals of EKS, as its API names them. Source: EKS API reference, "Errors" of each operation."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class Refused(ServiceException):
    """``code`` is the name of the exception in EKS's model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message)


def impossible(message: str) -> Refused:
    return Refused("InvalidRequestException", message)


def in_use(message: str) -> Refused:
    return Refused("ResourceInUseException", message)


def missing(message: str) -> Refused:
    return Refused("ResourceNotFoundException", message)

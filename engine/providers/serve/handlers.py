"""The provider protocol as a gRPC service over whatever has its methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import message_factory

from engine.protocol import provider_pb2


def handlers(servicer: object) -> grpc.GenericRpcHandler:
    """The service's methods as far as the servicer has them; gRPC answers UNIMPLEMENTED for all others."""
    service = provider_pb2.DESCRIPTOR.services_by_name["ResourceProvider"]
    methods: Mapping[str, grpc.RpcMethodHandler[Any, Any]] = {
        method.name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, method.name),
            request_deserializer=_message_class(method.input_type).FromString,
            response_serializer=_message_class(method.output_type).SerializeToString,
        )
        for method in service.methods
        if hasattr(servicer, method.name)
    }
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _message_class(descriptor: Any) -> Any:
    return message_factory.GetMessageClass(descriptor)

"""Hooks: functions of the program that are called before and after a resource is created, updated or deleted.

Those for errors are called when that failed, and may have it tried again.

The program registers them by name, and the state keeps the names. What a hook is told, and what comes of one that
fails, is as Pulumi's engine has it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine import urn as urns
from engine import wire
from engine.calling_back import CallingBack, NotAnswered
from engine.goal_messages import hook_fields, timeout_texts
from engine.protocol import alias_pb2, resource_pb2
from engine.state.model import ResourceState

ON_ERROR: Final = "OnError"  # the name that the state has for hooks of errors


class Moment(enum.StrEnum):
    """When a hook runs, under the name that the state has for it."""

    BEFORE_CREATE = "BeforeCreate"
    AFTER_CREATE = "AfterCreate"
    BEFORE_UPDATE = "BeforeUpdate"
    AFTER_UPDATE = "AfterUpdate"
    BEFORE_DELETE = "BeforeDelete"
    AFTER_DELETE = "AfterDelete"

    @property
    def word(self) -> str:
        return "before" if self.startswith("Before") else "after"


class HookFailed(Exception):
    """A hook failed whose errors count."""


@dataclass(frozen=True)
class _Hook:
    callback: Any
    on_dry_run: bool
    ignore_errors: bool


class Hooks:
    """The hooks that one program has registered."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview
        self._program = CallingBack()
        self._known: dict[str, _Hook] = {}
        self._of_errors: dict[str, Any] = {}

    def __bool__(self) -> bool:
        """Whether there are any: then the program has to be there as long as anything is done."""
        return bool(self._known or self._of_errors)

    def register(self, request: Any) -> None:
        """Take a hook that the program names. Raises ValueError."""
        self._refuse_name(request.name)
        self._known[request.name] = _Hook(request.callback, request.on_dry_run, request.ignore_errors)

    def register_for_errors(self, request: Any) -> None:
        """Take a hook for errors that the program names. Raises ValueError."""
        self._refuse_name(request.name)
        self._of_errors[request.name] = request.callback

    def _refuse_name(self, name: str) -> None:
        if not name:
            raise ValueError("a resource hook has no name; give each one that is its own")
        if name in self._known or name in self._of_errors:
            raise ValueError(f"a resource hook {name!r} is registered already; give each a name of its own")

    async def run(
        self, moment: Moment, old: ResourceState | None, new: ResourceState | None, warn: Callable[[str], None]
    ) -> None:
        """Run the hooks that a resource has for ``moment``, in their order, up to one that fails. Raises HookFailed."""
        state = new or old
        assert state is not None, "something is created, updated or deleted"
        for name in state.resource_hooks.get(moment, ()):
            hook = self._known.get(name)
            if hook is None:
                raise HookFailed(
                    f"hook {name!r} was not registered: the program has to make a ResourceHook of that name, since "
                    f"the resource has it for {moment}"
                )
            if self._preview and not hook.on_dry_run:
                continue
            request = resource_pb2.ResourceHookRequest(**_about(state, old, new))
            if new is not None and moment.word == "after":
                request.new_outputs.CopyFrom(wire.encode(new.outputs))
            error = (await self._answer(hook.callback, request, resource_pb2.ResourceHookResponse)).error
            if error and not hook.ignore_errors:
                raise HookFailed(f"{moment.word} hook {name!r} failed: {error}")
            if error:
                warn(f"{moment} hook {name!r} failed: {error}")

    async def _answer(self, callback: Any, request: Any, response: Any) -> Any:
        """What a hook answers, a message of the kind ``response``; where it does not, its error says why."""
        try:
            return response.FromString(await self._program.ask(callback, request))
        except NotAnswered as error:
            return response(error=str(error) or "the program does not answer")

    async def tries_again(
        self, operation: str, old: ResourceState | None, new: ResourceState | None, errors: Sequence[str]
    ) -> bool:
        """Whether a hook for errors wants ``operation``, which has failed, tried again. Raises HookFailed.

        Each is asked. ``errors`` are those of all attempts, the newest first.
        """
        state = new or old
        assert state is not None, "something is created, updated or deleted"
        wanted = False
        for name in state.resource_hooks.get(ON_ERROR, ()):
            if name not in self._of_errors:
                raise HookFailed(
                    f"error hook {name!r} was not registered: the program has to make an ErrorHook of that name, since "
                    f"the resource has it"
                )
            request = resource_pb2.ErrorHookRequest(
                failed_operation=operation, errors=errors, **_about(state, old, new)
            )
            answer = await self._answer(self._of_errors[name], request, resource_pb2.ErrorHookResponse)
            if answer.error:
                raise HookFailed(f"error hook {name!r} failed: {answer.error}")
            wanted = wanted or answer.retry
        return wanted

    def cancel(self) -> None:
        self._program.cancel()


def needing_the_program(resources: Iterable[ResourceState]) -> Iterator[tuple[ResourceState, list[str]]]:
    """Those of ``resources`` that cannot be deleted without the program, and their hooks for that."""
    for state in resources:
        hooks: Mapping[str, tuple[str, ...]] = state.resource_hooks
        names = [*hooks.get(Moment.BEFORE_DELETE, ()), *hooks.get(Moment.AFTER_DELETE, ())]
        if names:
            yield state, names


def _about(state: ResourceState, old: ResourceState | None, new: ResourceState | None) -> dict[str, Any]:
    """What every hook is told of a resource, by the fields of its message."""
    about: dict[str, Any] = {"urn": state.urn, "id": state.id, "name": urns.name_of(state.urn), "type": state.type}
    if new is not None:
        about |= {"new_inputs": wire.encode(new.inputs), "new_options": _options(new)}
    if old is not None:
        about |= {
            "old_inputs": wire.encode(old.inputs), "old_outputs": wire.encode(old.outputs),
            "old_options": _options(old),
        }  # fmt: skip
    return about


def _options(state: ResourceState) -> Any:
    """The options that ``state`` was made with, as far as it keeps them."""
    bound = hook_fields(state.resource_hooks)
    timeouts = timeout_texts(state.custom_timeouts)
    options = resource_pb2.ResourceOptions(
        depends_on=state.dependencies,
        protect=state.protect,
        ignore_changes=state.ignore_changes,
        replace_on_changes=state.replace_on_changes,
        aliases=[alias_pb2.Alias(urn=urn) for urn in state.aliases],
        provider=state.provider,
        custom_timeouts=resource_pb2.RegisterResourceRequest.CustomTimeouts(**timeouts)
        if any(timeouts.values())
        else None,
        retain_on_delete=state.retain_on_delete,
        deleted_with=state.deleted_with,
        additional_secret_outputs=state.additional_secret_outputs,
        hide_diff=[str(path) for path in state.hide_diff],
        replace_with=state.replace_with,
        parent=state.parent,
        hooks=resource_pb2.RegisterResourceRequest.ResourceHooksBinding(**bound) if bound else None,
    )
    setattr(options, "import", state.import_id)  # a keyword of Python, hence no attribute
    return options

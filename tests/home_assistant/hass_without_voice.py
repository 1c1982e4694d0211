"""Runs the real Home Assistant without the packages of cameras and voice assistants.

Its dashboards ask for the descriptions of all actions, for which Home Assistant imports every kind
of entity there is, and some of those import packages that are large or need a compiler. Nothing
here uses them: their names stand for nothing.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

LEFT_OUT = {
    "gazetteer_matcher",
    "haffmpeg",
    "hassil",
    "home_assistant_intents",
    "mutagen",
    "pymicro_vad",
    "pyspeex_noise",
    "turbojpeg",
}


class _Nothing(type):
    """A class that has every attribute, each a class like it."""

    def __getattr__(cls, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (cls,), {"__init__": lambda self, *_, **__: None})

    def __getitem__(cls, _: object) -> _Nothing:
        return cls


class _EmptyModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(_Nothing("Nothing", (), {}), name)


class _LeftOut(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in LEFT_OUT:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _EmptyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


if __name__ == "__main__":
    sys.meta_path.append(_LeftOut())
    from homeassistant.__main__ import main

    sys.exit(main())

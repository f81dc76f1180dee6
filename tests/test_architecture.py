"""Imports point one way, what is pure stays pure, and a module holds one idea."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "connector"

MAY_IMPORT = {
    "errors": set(),
    "clock": set(),
    "events": set(),
    "core": {"events"},
    "settings": {"core", "events", "errors"},
    "simulator": {"events", "errors"},
    "customerio": {"core", "events", "errors", "settings"},
    "kafka": {"core", "events", "errors", "settings"},
    "telemetry": {"clock", "core", "events", "errors", "settings"},
    "dead_letters": {"kafka", "core", "events", "errors", "settings"},
    "pipeline": {"clock", "core", "events", "errors", "settings", "kafka", "customerio", "telemetry"},
    "checks": {"core", "events", "errors", "settings", "kafka", "customerio", "telemetry", "pipeline"},
    "demo": {"core", "events", "errors", "settings", "kafka", "simulator"},
}
"""Room -> the other rooms of ours that it may import. `cli` may import all of them, and none may import it."""

SHELLS = ("kafka", "customerio", "telemetry", "settings", "simulator")

SETTINGS_DATA = ("connector.settings.model", "connector.settings.groups", "connector.settings.reserved")

PURE = {
    "core": {
        *("array", "bisect", "cachetools", "collections", "enum", "fnmatch", "functools", "hashlib", "heapq"),
        *("itertools", "math", "msgspec", "operator", "re", "typing", "zlib"),
    },
    "events": {
        *(
            "base64",
            "collections",
            "datetime",
            "enum",
            "functools",
            "hashlib",
            "itertools",
            "math",
            "msgspec",
        ),
        *("operator", "re", "typing", "zlib"),
    },
}
"""All that these may import besides ours: no I/O, clock, threads or randomness among it."""

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "hash"}
"""`hash` of a string differs from process to process."""
CLOCKS = {"now", "utcnow", "today"}

LINES_MAX = 400


@cache
def _modules() -> dict[str, Path]:
    """Dotted name -> file of every module of the package."""
    modules = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _imports(path: Path, running: bool = False) -> Iterator[str]:
    """Dotted names of what a module imports anywhere in it; `running`: not for types alone, nor when called."""
    for node in _top_level(_tree(path)) if running else ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in _modules() else node.module


def _top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs as the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))


def _room(module: str) -> str:
    """The folder, or the module, right below `connector`; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def _modules_of(room: str) -> list[tuple[str, Path]]:
    return [(module, path) for module, path in _modules().items() if _room(module) == room]


def _ours(path: Path) -> list[str]:
    return [name for name in _imports(path) if name.split(".")[0] == "connector"]


def test_every_room_says_what_it_may_import() -> None:
    rooms = {_room(module) for module in _modules()} - {"", "cli"}
    assert rooms == set(MAY_IMPORT), "a new room names here what it may import"


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_no_other_than_it_may(room: str) -> None:
    for module, path in _modules_of(room):
        for imported in _ours(path):
            assert _room(imported) in {room, "", *MAY_IMPORT[room]}, f"{module} imports {imported}"


def test_the_core_imports_events_and_nothing_else_of_ours() -> None:
    assert MAY_IMPORT["core"] == {"events"} and MAY_IMPORT["events"] == set()


def test_shells_do_not_import_each_other_but_for_settings_data() -> None:
    for shell in SHELLS:
        assert not MAY_IMPORT[shell] & (set(SHELLS) - {"settings"})
        for module, path in _modules_of(shell):
            for imported in _ours(path):
                if shell != "settings" and _room(imported) == "settings":
                    assert imported in SETTINGS_DATA, f"{module} imports {imported}, which is more than data"


def test_nobody_imports_the_command_line() -> None:
    for module, path in _modules().items():
        if _room(module) != "cli":
            assert not any(_room(imported) == "cli" for imported in _ours(path)), module


def test_the_package_imports_neither_its_tests_nor_its_benchmarks() -> None:
    for module, path in _modules().items():
        assert not {"tests", "bench"} & {name.split(".")[0] for name in _imports(path)}, module


def test_no_modules_import_each_other_in_a_circle() -> None:
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module)) if module in way else ""
        if module not in done:
            for imported in _imports(_modules()[module], running=True):
                if imported.startswith("connector."):
                    visit(imported, (*way, module))
            done.add(module)

    for module in _modules():
        visit(module, ())


@pytest.mark.parametrize("room", sorted(PURE))
def test_what_is_pure_imports_no_io_clock_threads_or_randomness(room: str) -> None:
    for module, path in _modules_of(room):
        for imported in _imports(path):
            top = imported.split(".")[0]
            assert top == "connector" or top in PURE[room], f"{module} imports {imported}"


@pytest.mark.parametrize("room", sorted(PURE))
def test_what_is_pure_calls_nothing_that_reads_a_clock_or_the_world(room: str) -> None:
    for module, path in _modules_of(room):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Name):
                assert node.id not in IMPURE_CALLS, f"{module}:{node.lineno} uses {node.id}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in CLOCKS, f"{module}:{node.lineno} uses .{node.attr}"


def test_a_module_s_name_says_what_it_holds() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base"}
    for module in _modules():
        assert not vague & set(module.split(".")), module


def test_a_module_is_short_enough_to_read() -> None:
    lines = {module: len(path.read_text().splitlines()) for module, path in _modules().items()}
    assert {module: count for module, count in lines.items() if count > LINES_MAX} == {}


def test_the_package_that_people_install_holds_the_connector_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["connector"]

"""Names use the field's terms, not a dialect of this project. The list is `DIALECT`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIALECT = {
    "album": "photo list",
    "apart": "held out; spacing; in a subprocess",
    "asking": "requests",
    "become": "load state",
    "begins": "warm start",
    "begun": "parent project",
    "bent": "distorted",
    "beyond": "unbounded background",
    "came": "quality",
    "carried": "transformed",
    "chunked": "mapped in chunks",
    "come": "quality",
    "course": "ray intervals, weight histogram",
    "doubts": "warnings",
    "dress": "apply texts",
    "eyes": "camera centers",
    "film": "video",
    "films": "videos",
    "fineness": "sample counts",
    "fresh": "new",
    "goal": "supervision",
    "hands": "input",
    "haze": "density bias",
    "heard": "on event",
    "imagined": "generated from a prompt",
    "judge": "evaluate",
    "judged": "evaluated",
    "judging": "evaluation",
    "knows": "has",
    "lacking": "dirty",
    "lane": "worker, shard",
    "lanes": "workers, shards",
    "learnt": "trained",
    "likeness": "CLIP similarity",
    "ours": "owned",
    "pace": "frame pacer, duty cycle",
    "passage": "contracted ray",
    "photographed": "photo supervision",
    "pull": "precomputed gradient",
    "renewed": "new trainer",
    "said": "message",
    "say": "message",
    "says": "message",
    "sentence": "text prompt",
    "sentences": "text prompts",
    "settle": "convert a density to an SDF",
    "settled": "has an SDF",
    "settles": "converts a density to an SDF",
    "settling": "conversion of a density to an SDF",
    "shot": "photo row",
    "shots": "photo rows",
    "showing": "preview display",
    "sight": "visibility",
    "stated": "metadata",
    "stray": "outlier",
    "tap": "stencil point",
    "tapped": "stencil points",
    "taps": "finite-difference stencil",
    "taught": "losses and gradients",
    "teach": "compute losses and gradients",
    "teaches": "computes losses and gradients",
    "tell": "report",
    "tells": "reports",
    "told": "reported",
    "veil": "transient head",
    "worries": "warnings",
}
"""Words that no identifier has, and the term to use instead."""
NOT_YET = {
    "apart",
    "begun",
    "beyond",
    "carried",
    "course",
    "eyes",
    "film",
    "fresh",
    "imagined",
    "lacking",
    "lane",
    "lanes",
    "likeness",
    "ours",
    "passage",
    "said",
    "sentence",
    "tapped",
    "taps",
    "tell",
    "told",
    "veil",
}
"""Words that some names still have. Nothing is ever added."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def identifiers(path: Path) -> Iterator[str]:
    """Names of a module and of its functions, classes, arguments, attributes and variables."""
    yield from path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.Attribute():
                yield node.attr
            case ast.Name():
                yield node.id
            case _:
                pass


def words(name: str) -> set[str]:
    """The words of a name, split at underscores and where the case changes."""
    return {word.lower() for word in WORD.findall(name)}


def test_words_of_a_name():
    assert words("_photo_listOf3DShots") == {"photo", "list", "of", "d", "shots"}
    assert words("HELD_OUT") == {"held", "out"}


def test_names_use_the_terms_of_the_field():
    banned = DIALECT.keys() - NOT_YET
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {name} ({word}: {DIALECT[word]})"
        for room in ("core", "app")
        for path in (ROOT / room).rglob("*.py")
        for name in identifiers(path)
        for word in words(name) & banned
    }
    assert sorted(found) == []


def test_words_that_some_names_still_have_are_on_the_list():
    assert DIALECT.keys() >= NOT_YET

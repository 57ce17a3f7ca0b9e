"""A gettext file translates what the window and the engine say, as far as it goes."""

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from app.text import catalog
from app.text.extract import engine_messages, main
from core.base.paths import settings_file
from core.base.text import join, plural, text


@pytest.fixture
def speak(tmp_path, monkeypatch):
    """Speak a language of (English, translation) pairs, or (English, plural, forms …)."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = settings_file().parent / "text"
    folder.mkdir(parents=True)

    def speak(code, *messages, **of_the_window):
        made = Catalog(locale=code)
        for english, *forms in messages:
            one, *many = (english,) if isinstance(english, str) else english
            made.add((one, *many) if many else one, tuple(forms) if many else forms[0])
        for key, forms in of_the_window.items():
            one, many = catalog.english_texts()[key.replace("__", ".")]
            made.add((one, many) if many else one, forms, context=key.replace("__", "."))
        with (folder / f"{code}.po").open("wb") as file:
            write_po(file, made)
        catalog.set_language(code)
        return folder

    yield speak
    catalog.set_language(catalog.ENGLISH)


def test_what_is_filled_in_changes_places_and_is_translated_itself(speak):
    speak(
        "pl",
        ("{placed} of {n} photos placed", "z {n} zdjęć umieszczono {placed}"),
        ("reading {reader}", "{reader}: czytanie"),
        ("a COLMAP model", "model COLMAP"),
        (
            ("excluding {photo}", "excluding {n} photos"),
            "bez {n} zdjęcia",
            "bez {n} zdjęć",
            "bez {n}",
        ),
        ("Left out: {failure}", "{failure} i {oops}"),
    )
    assert catalog.localize(text("{placed} of {n} photos placed", placed=7, n=9)) == (
        "z 9 zdjęć umieszczono 7"
    )
    reading = text("reading {reader}", reader=text("a COLMAP model"))
    assert catalog.localize(reading) == "model COLMAP: czytanie"
    assert catalog.localize(join("; ", [reading, "x"])) == "model COLMAP: czytanie; x"
    excluding = [
        plural("excluding {photo}", "excluding {n} photos", n=n, photo="a") for n in (1, 3, 8)
    ]
    assert [*map(catalog.localize, excluding)] == ["bez 1 zdjęcia", "bez 3 zdjęć", "bez 8"]
    left_out = text("Left out: {failure}", failure="a.jpg")
    assert catalog.localize(left_out) == "Left out: a.jpg", "what it lacks cannot be filled in"
    assert catalog.localize(text("Nothing is training")) == "Nothing is training", "not translated"


def test_the_windows_texts_are_translated_by_their_keys(speak):
    speak(
        "pl",
        video__keyframes=("{n} widok", "{n} widoki", "{n} widoków"),
        source__masks="maski {oops}",
        status__empty="brace { alone",
        widgets__mesh_resolution__format="%s komórek",
        widgets__start__label="Zacznij",
    )
    assert catalog.languages() == {"en": "English", "pl": "polski"}
    assert [catalog.tr("video.keyframes", n) for n in (1, 3, 12)] == [
        "1 widok",
        "3 widoki",
        "12 widoków",
    ]
    widgets = catalog.widget_texts()
    assert widgets["start"]["label"] == "Zacznij"
    english = catalog.english_texts()
    misfits = ("source.masks", "status.empty", "widgets.mesh_resolution.format")
    shown = (
        catalog.tr("source.masks"),
        catalog.tr("status.empty"),
        widgets["mesh_resolution"]["format"],
    )
    assert shown == tuple(english[key][0] for key in misfits)


def test_a_damaged_or_missing_translation_leaves_english(speak):
    folder = speak("pl", widgets__start__label="Zacznij")
    (folder / "xx.po").write_text('msgid "no end', "utf-8")
    assert catalog.languages() == {"en": "English", "pl": "polski", "xx": "xx"}
    for language in ("xx", "nowhere"):
        catalog.set_language(language)
        assert (
            catalog.widget_texts()["start"]["label"]
            == catalog.english_texts()["widgets.start.label"][0]
        )


def test_the_file_for_translators_holds_every_text_once_and_keeps_what_is_translated(tmp_path):
    path = main("de", tmp_path)
    with path.open("rb") as file:
        made = read_po(file)
    assert {m.context for m in made if m.context} == set(catalog.english_texts())
    said = {message for _, _, message in engine_messages()}
    assert ("{folder} has only {n} usable photo", "{folder} has only {n} usable photos") in said
    assert {m.id for m in made if m.id and not m.context} == said
    made["Nothing is open"].string = "Nichts ist offen"
    with path.open("wb") as file:
        write_po(file, made)
    with main("de", tmp_path).open("rb") as file:
        assert read_po(file)["Nothing is open"].string == "Nichts ist offen"

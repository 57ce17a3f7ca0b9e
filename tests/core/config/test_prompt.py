"""The prompt file is written, found and read again."""

import pytest

from core.base.errors import UserError
from core.config.prompt import find_prompt, read_prompt, write_prompt


def test_what_is_written_is_read_with_its_spaces_tidied(tmp_path):
    file = write_prompt("  a ceramic\n vase ", tmp_path, tmp_path / "one")
    assert read_prompt(file).text == "a ceramic vase"
    assert read_prompt(file).weights == str(tmp_path.resolve())
    assert find_prompt(file) == find_prompt(file.parent) == file
    assert find_prompt(tmp_path) is None


def test_a_file_among_the_weights_stands_for_their_folder(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.touch()
    file = write_prompt("a vase", weights, tmp_path / "one")
    assert read_prompt(file).weights == str(tmp_path.resolve())


def test_each_prompt_has_one_file_among_the_users_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    files = [write_prompt(prompt, tmp_path) for prompt in ("a vase", "a ball", "a vase")]
    assert files[0] == files[2] != files[1]
    assert files[0].is_relative_to(tmp_path / "data")


@pytest.mark.parametrize(
    ("prompt", "weights", "message"),
    [("  ", ".", "empty"), ("a vase", "", "No CLIP network"), ("a vase", "gone", "does not exist")],
)
def test_what_cannot_be_a_prompt_is_refused(prompt, weights, message, tmp_path):
    with pytest.raises(UserError, match=message):
        write_prompt(prompt, weights, tmp_path / "one")


@pytest.mark.parametrize("content", ["", "{}", '{"text": 1, "weights": "x"}'])
def test_a_file_that_holds_no_prompt_is_refused(content, tmp_path):
    file = tmp_path / "prompt.json"
    file.write_text(content)
    with pytest.raises(UserError, match="holds no prompt"):
        read_prompt(file)

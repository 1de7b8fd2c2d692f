"""Folders of pictures: which are classes, and what lies there that is none."""

import io

import numpy as np
import pytest
from PIL import Image

from lpc_core.checkpoint import FileRefused, Limits
from lpc_core.checkpoint.pictures import read, sort
from tests.core.checkpoint._files import zipped

TWO = ["cat/1.png", "dog/2.png"]


def picture():
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_names_that_begin_with_the_folder_itself():
    assert sort([f"./{name}" for name in TWO]).classes == ("cat", "dog")


@pytest.mark.parametrize("tool", ["@Recycle", "#snapshot", "@__thumb", "Picasa Originals", "ipynb_checkpoints", "@tmp",
                                  "Network Trash Folder", "@Recently-Snapshot"])
def test_folders_of_a_network_drive_and_of_tools_are_no_classes(tool):
    found = sort([*TWO, f"{tool}/3.png"])
    assert found.classes == ("cat", "dog")
    assert found.notes == (f"ignored, as tools leave them: {tool}",)


@pytest.mark.parametrize("other", ["Cat", "cat ", "CAT"])
def test_two_classes_of_almost_one_name_are_said(other):
    (doubt,) = sort([*TWO, f"{other}/1.png"]).warnings
    assert doubt.startswith("folders whose names differ in capitals or blanks alone are two classes: ")
    assert repr(other) in doubt


def test_numbers_of_equal_length_are_in_order():
    assert sort([f"{number:02d}/1.png" for number in range(12)]).warnings == ()
    assert "1 is class 0" in sort(["1/1.png", "2/1.png"]).warnings[0]


def test_pictures_below_one_folder_more_are_not_taken_for_one_class():
    with pytest.raises(FileRefused, match=r"^expected pictures in one folder per class, got those of 2 folders in one "
                                          "called 'images' each; move the pictures"):
        sort(["n01/images/1.png", "n02/images/1.png"])


@pytest.mark.parametrize(("raw", "what"), [
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git-LFS pointer in place of the file; run"),
    (b"<!DOCTYPE html><html>", "a web page; fetch"), (b"", "an empty file"), (b"\0\1", "no picture, beginning 00 01")])
def test_what_lies_in_place_of_a_picture_is_named(raw, what):
    files = {f"{name}{number}.png": picture() for name in ("cat/", "dog/") for number in range(6)}
    found = read(memoryview(zipped(files | {"cat/9.png": raw})), {"side": None}, Limits())
    (warning,) = found.facts["warnings"]
    assert warning.startswith(f"1 of 13 pictures could not be read and are left out: 9.png ({what[:12]}")
    with pytest.raises(FileRefused, match=rf"^expected a picture in 1\.png, got {what}"):
        read(memoryview(zipped({"cat/1.png": raw})), {"side": None}, Limits())

"""Pictures in one folder per class: packed, and decoded nowhere but in the locked process."""

import io
import zipfile

import numpy as np
import pytest

from lpc_core.checkpoint import FileRefused, Limits, pictures
from lpc_core.inspection import gather

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 8, 8, 3), np.uint8)


def encoded(pixels, kind="PNG", **options):
    out = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(out, kind, **options)
    return out.getvalue()


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(name, raw)
    return str(path)


@pytest.mark.parametrize(("name", "folder"), [
    ("cat/1.png", "cat"), ("pets/train/cat/1.JPEG", "cat"), ("1.png", ""), ("cat/notes.txt", ""), ("cat/", ""),
    ("__MACOSX/pets/cat/._1.png", ""), ("__MACOSX/cat/1.png", ""), ("cat/.1.png", ""), ("", "")])
def test_the_class_of_a_file(name, folder):
    assert pictures.sort([name]).pictures == ({name: folder} if folder else {})


def test_a_zip_as_it_comes_from_a_desktop(tmp_path):
    members = {f"pets/{kind}/{place}.png": encoded(PIXELS[place])
               for place, kind in enumerate(["dog", "cat", "dog", "cat", "eel"])}
    noise = {"pets/": b"", "pets/.DS_Store": b"x", "__MACOSX/pets/cat/._1.png": b"x", "readme.txt": b"x",
             "top.png": b"not in a folder"}
    found = gather(archive(tmp_path / "pets.ZIP", members | noise))
    assert found.class_names == ("cat", "dog", "eel")
    assert found.labels.tolist() == [0, 0, 1, 1, 2]
    assert np.array_equal(found.inputs, PIXELS[[1, 3, 0, 2, 4]])
    assert found.name == "pets.ZIP, 5 pictures"
    few = gather(str(tmp_path / "pets.ZIP"), count=3, side=4)
    assert few.inputs.shape == (3, 4, 4, 3)
    assert few.notes == (*found.notes, "pictures cut to their middle square and made 4 × 4 pixels",
                         "3 of 5 samples, stratified, drawn with seed 0")


FORMS = {
    "PNG": ("1.png", {}), "JPEG": ("1.jpg", {}), "JPEG, progressive": ("1.jpeg", {"progressive": True}),
    "BMP": ("1.bmp", {}), "GIF": ("1.gif", {}), "WEBP": ("1.webp", {"lossless": True}), "PPM": ("1.ppm", {}),
    "TIFF": ("1.tif", {}), "TIFF, LZW": ("1.tiff", {"compression": "tiff_lzw"}),
    "TIFF, JPEG": ("1.tiff", {"compression": "jpeg"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_format_is_decoded_behind_the_lock(form, tmp_path):
    name, options = FORMS[form]
    smooth = np.tile(np.linspace(40, 200, 16, dtype=np.uint8)[:, None, None], (1, 16, 3))
    raw = encoded(smooth, form.partition(",")[0], **options)
    found = gather(archive(tmp_path / "a.zip", {f"c/{name}": raw}))
    assert found.inputs.shape == (1, 16, 16, 3)
    assert np.abs(found.inputs[0].astype(int) - smooth).max() <= 12  # JPEG loses a little, GIF's palette too


@pytest.mark.parametrize(("mode", "channels"), [("RGBA", 3), ("P", 3), ("CMYK", 3), ("LA", 3), ("L", 1), ("1", 1),
                                                 ("I;16", 1)])
def test_every_mode_is_grey_or_colour(mode, channels, tmp_path):
    grey = Image.fromarray(np.full((8, 8), 255, np.uint16)) if mode == "I;16" else \
        Image.fromarray(PIXELS[0]).convert(mode)
    raw = encoded(grey, "TIFF")
    assert gather(archive(tmp_path / "a.zip", {"c/1.tif": raw})).inputs.shape == (1, 8, 8, channels)


def test_nothing_is_decoded_in_this_process(tmp_path, monkeypatch):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.png").write_bytes(encoded(PIXELS[0]))

    def refuse(*_, **__):
        raise AssertionError("a picture was opened here")

    monkeypatch.setattr(Image, "open", refuse)
    assert np.array_equal(gather(str(tmp_path)).inputs[0], PIXELS[0])


def test_only_wanted_pictures_of_a_folder_are_packed(tmp_path):
    for place, kind in enumerate("ababab"):
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / f"{place}.png").write_bytes(encoded(PIXELS[place]))
    shares = []
    found = gather(str(tmp_path), count=2, progress=lambda share, what: shares.append(share))
    assert found.labels.tolist() == [0, 1]
    assert shares == [0.5, 1]
    assert found.notes[-1] == "2 of 6 samples, stratified, drawn with seed 0"


def test_names_that_an_archive_can_not_hold(tmp_path):
    target = tmp_path / "packed.zip"
    raw = encoded(PIXELS[0])
    count = pictures.pack(dict.fromkeys(["a:b/12:30\u202e.png", "c\\d/1\n.png", f"{'x' * 250}/{'y' * 251}.png"],
                                        lambda: raw), target)
    assert count == 3
    assert gather(str(target)).class_names == ("a_b", "c_d", "x" * 240)
    with pytest.raises(FileRefused, match="expected folders with different names, got 'a:b' and 'a_b'; rename one"):
        pictures.pack(dict.fromkeys(["a:b/1.png", "a_b/1.png"], lambda: raw), tmp_path / "clash.zip")


def test_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST", 2)
    with pytest.raises(FileRefused, match="expected at most 2 pictures, got more; choose fewer"):
        pictures.pack({f"a/{place}.png": bytes for place in range(3)}, tmp_path / "many.zip")


def test_too_large(tmp_path):
    path = archive(tmp_path / "a.zip", {f"c/{place}.png": encoded(np.zeros((200, 200), np.uint8))
                                        for place in range(5)})
    with pytest.raises(FileRefused, match="data: expected arrays of at most 100,000 bytes"):
        gather(path, limits=Limits(tensor_bytes=100_000))


def test_without_pillow(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = archive(tmp_path / "a.zip", {"c/1.png": encoded(PIXELS[0])})
    with pytest.raises(ImportError, match="Pictures need the package Pillow, which is not installed"):
        gather(path)
    with pytest.raises(ImportError, match="Pillow"):
        pictures.pack({}, tmp_path / "b.zip")

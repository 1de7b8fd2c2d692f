"""A checkpoint in several files is one checkpoint, with or without its index; a part alone is refused."""

import json

import pytest
import safetensors.torch
import torch

from lpc_core.checkpoint import FileRefused, Limits, files_of, open_file, open_tree

STATE = {"model.a.weight": torch.arange(6.0).reshape(2, 3), "model.a.bias": torch.ones(2),
         "model.b.weight": torch.ones(4, 2), "head.weight": torch.zeros(3, 4)}
HALVES = [["model.a.weight", "model.a.bias"], ["model.b.weight", "head.weight"]]


def write(folder, ending=".safetensors", stem="model", index=True, halves=HALVES):
    places = {}
    for number, names in enumerate(halves, start=1):
        path = folder / f"{stem}-{number:05d}-of-{len(halves):05d}{ending}"
        part = {name: STATE[name] for name in names}
        if ending == ".safetensors":
            safetensors.torch.save_file(part, path)
        else:
            torch.save(part, path)
        places |= dict.fromkeys(names, path.name)
    if index:
        (folder / f"{stem}{ending}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return sorted(path for path in folder.iterdir() if "-of-" in path.name)


def check(found):
    assert found.tensors.keys() == STATE.keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in STATE.items())
    assert "read from 2 files" in found.notes


@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
def test_parts_together_their_folder_and_their_index_are_one_checkpoint(tmp_path, ending):
    parts = write(tmp_path, ending)
    index = tmp_path / f"model{ending}.index.json"
    for source in (parts, parts[::-1], [*parts, index], tmp_path, index, [index]):
        check(open_file(source))
        assert sorted(files_of(source)) == parts
    assert {entry.name for entry in open_tree(tmp_path)} == STATE.keys()
    index.unlink()
    check(open_file(tmp_path))


def refused(source, match):
    with pytest.raises(FileRefused, match=match):
        open_file(source)


def test_a_part_alone_says_which_it_is(tmp_path):
    one, two = write(tmp_path)
    refused(one, "^expected a whole checkpoint, got part 1 of 2; add the others")
    refused(two, "got part 2 of 2; add the others")
    with pytest.raises(FileRefused, match="got part 2 of 2"):
        open_file(two.read_bytes(), two.name)
    with pytest.raises(FileRefused, match="got part 1 of 2"):
        open_tree(one)


def test_what_is_missing_or_there_twice_is_said(tmp_path):
    one, two = write(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    refused([one, index], "^expected the 2 parts that model.safetensors.index.json names, got none called "
                          "model-00002-of-00002.safetensors; add the part model-00002-of-00002.safetensors$")
    refused([one, one], "^expected each file once, got 'model-00001")
    third = tmp_path / "model-00003-of-00003.safetensors"
    third.write_bytes(two.read_bytes())
    refused([one, third], "^expected parts of one checkpoint, got parts of 2")
    refused([third, index], "got none called model-00001-of-00002.safetensors, model-00002")
    refused([one, two, third, index], "got model-00003-of-00003.safetensors too; leave that out$")
    other = tmp_path / "other.safetensors"
    other.write_bytes(two.read_bytes())
    refused([one, other], "^expected parts of one checkpoint .* or their index, got other.safetensors; choose one file")
    two.unlink()
    refused(index, "got the index alone; add the part model-00002-of-00002.safetensors")
    one.unlink()
    refused(index, "^expected the 2 parts that .* names, got the index alone; add the parts model-00001")
    with pytest.raises(FileRefused, match="got the index of a checkpoint in parts; add the parts"):
        open_file(index.read_bytes(), index.name)


def test_three_parts_of_which_one_is_missing(tmp_path):
    parts = write(tmp_path, index=False, halves=[[name] for name in STATE][:3])
    refused([parts[0], parts[2]], "^expected all 3 parts of the checkpoint, got 2, without part 2; add what is ")


def test_a_tensor_in_two_parts_is_refused(tmp_path):
    parts = write(tmp_path, index=False, halves=[HALVES[0], [*HALVES[1], "model.a.bias"]])
    refused(parts, "^expected each tensor in one part, got 'model.a.bias' in two; choose parts that were saved")


@pytest.mark.parametrize(("change", "match"), [
    (lambda places: places.pop("head.weight"), "got some with also head.weight"),
    (lambda places: places.update(more="model-00001-of-00002.safetensors"), "got some without more"),
    (lambda places: places.update({"head.weight": "model-00001-of-00002.safetensors"}), "got 'head.weight' in another"),
    (lambda places: places.update(x="../../etc/passwd"), "^expected names of files beside the index, got "),
    (lambda places: places.update(x="/etc/passwd"), "^expected names of files beside the index, got "),
    (lambda places: places.update(x=3), "^expected an index with a weight_map"),
    (dict.clear, "^expected an index with a weight_map"),
])
def test_an_index_that_does_not_fit_or_leads_elsewhere_is_refused(tmp_path, change, match):
    write(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    change(content["weight_map"])
    index.write_text(json.dumps(content))
    refused(tmp_path, match)


def test_other_files_in_the_folder_do_not_count_but_a_second_checkpoint_does(tmp_path):
    write(tmp_path)
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "config.json").write_text("{}")
    check(open_file(tmp_path))
    write(tmp_path, ".bin")
    refused(tmp_path, "^expected one index, got ")
    check(open_file(tmp_path / "model.safetensors.index.json"))


def test_a_folder_with_one_file_and_with_none(tmp_path):
    refused(tmp_path, "^expected a folder with a checkpoint in it, got ")
    torch.save(STATE, tmp_path / "net.pt")
    assert open_file(tmp_path).tensors.keys() == STATE.keys()
    torch.save(STATE, tmp_path / "other.pt")
    refused(tmp_path, "^expected a folder with one checkpoint in it, got net.pt, other.pt; choose one of them$")


def test_limits_count_for_all_parts_together(tmp_path):
    parts = write(tmp_path)
    size = sum(part.stat().st_size for part in parts)
    with pytest.raises(FileRefused, match=r"^expected parts of at most .* together, got "):
        open_file(parts, limits=Limits(file_bytes=size - 1))
    with pytest.raises(FileRefused, match=r"^expected arrays of at most 100 bytes together, got a claim of 112 bytes"):
        open_file(parts, limits=Limits(tensor_bytes=100))


def test_prefixes_come_off_the_whole_and_not_off_a_part(tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    halves = [["model.a.weight", "model.a.bias"], ["model.b.weight"]]
    found = open_file(write(folder, ".bin", index=False, halves=halves))
    assert found.stripped == ("model.",)
    assert list(found.tensors) == ["a.weight", "a.bias", "b.weight"]


@pytest.mark.parametrize("name", ["model-0000{}-of-00002 (1).safetensors", "model-0000{}-of-00002.fp16.safetensors",
                                  "model-0000{}-of-00002 - Copy.safetensors", "model.safetensors-0000{}-of-00002"])
def test_more_around_the_numbers_makes_no_whole_of_a_part(tmp_path, name):
    parts = []
    for number, names in enumerate(HALVES, start=1):
        parts.append(tmp_path / name.format(number))
        safetensors.torch.save_file({key: STATE[key] for key in names}, parts[-1])
    refused(parts[0], "^expected a whole checkpoint, got part 1 of 2; add the others")
    check(open_file(parts))


def test_what_lies_beside_a_part_under_its_name_is_none(tmp_path):
    for part in write(tmp_path, index=False):
        part.with_name(f"{part.name}.sha256").write_text("0")
    check(open_file(tmp_path))


@pytest.mark.parametrize("name", ["consolidated.01.pth", "mp_rank_03_model_states.pt", "x.mp_rank_01.safetensors"])
def test_what_one_process_of_several_saved_is_no_whole(tmp_path, name):
    torch.save(STATE, tmp_path / name)
    refused(tmp_path / name, "^expected a whole checkpoint, got what process [13] of several saved of it; merge their")


@pytest.mark.parametrize(("name", "doubted"), [("consolidated.00.pth", True), ("mp_rank_00_model_states.pt", True),
                                               ("rank0.pt", True), ("net-shard_2.pt", True), ("lowrank8.pt", False),
                                               ("epoch3.pt", False), ("smart2.pt", False),
                                               ("consolidated-1.5b.pt", True)])
def test_a_name_that_may_be_one_of_several_is_noted(tmp_path, name, doubted):
    torch.save(STATE, tmp_path / name)
    notes = open_file(tmp_path / name).notes
    assert [note for note in notes if "may be one of several" in note] == (
        [f"{name} may be one of several files of a network, by its name: if so, these are not all of its layers"]
        if doubted else [])


def test_a_table_that_was_consolidated_is_no_part(tmp_path):
    (tmp_path / "consolidated_12.csv").write_text("z0,z1,label\n" + "1.5,2.5,a\n3.5,4.5,b\n" * 3)
    assert len(open_file(tmp_path / "consolidated_12.csv").labels) == 6

from fetal_seg.commands.predict.output_stems import output_stems


def stems_of(names):
    return dict(zip(names, output_stems(names), strict=True))


def test_results_of_inputs_with_the_same_stem_are_all_kept():
    stems = stems_of(["a.png", "a.dcm", "sub/a.png", "b.tar.png", "A.PNG", "a.dcm_2.png"])
    assert stems["a.png"] == "a"
    assert stems["a.dcm"] == "a.dcm"
    assert stems["sub/a.png"] == "sub/a"
    assert len({stem.casefold() for stem in stems.values()}) == len(stems)


def test_stems_do_not_depend_on_what_else_is_measured_later():
    names = ["a.png", "a.jpg"]
    assert stems_of([*names, "c.png"])["a.jpg"] == stems_of(names)["a.jpg"]

"""The model form's settings and the question that they stand for."""

from __future__ import annotations

import pytest
from habena.app.models import TABLE, Inference, Model
from habena.app.panels.model_question import in_words, inference_of, model_of, settings_of
from habena.app.problems import Problem
from habena.widgets.model_settings import ModelSettings
from hypothesis import given
from hypothesis import strategies as st

MODELS = st.builds(
    Model,
    data=st.sampled_from(["/d/maps.nii", "column:t1", TABLE]),
    table=st.just("/d/t.tsv"),
    formula=st.sampled_from(["~ 1", "y ~ group * time"]),
    contrasts=st.sampled_from([(), ("age", "d = a - b")]),
    subject=st.none() | st.just("participant_id"),
    within=st.none() | st.just("time"),
    exchange=st.just("family"),
    exchange_mode=st.sampled_from(["within", "whole"]),
    variance=st.sampled_from(["pooled", "by-group"]),
    voxelwise=st.sampled_from([(), (("gm", "gm_file"), ("x", "x_file"))]),
    exclude=st.sampled_from([(), ("sub-1", "sub-2")]),
    mask=st.none() | st.just("/d/mask.nii"),
    surface=st.none() | st.just("/d/lh.white"),
)
INFERENCES = st.builds(
    Inference,
    permutations=st.integers(1, 10_000),
    seed=st.integers(0, 99),
    correction=st.sampled_from(["fwe", "cluster-extent", "cluster-mass", "tfce"]),
    cluster_p=st.sampled_from([0.001, 0.01]),
    connectivity=st.sampled_from([6, 18, 26]),
    tfce_h=st.sampled_from([2.0, 1.0]),
    one_sided=st.booleans(),
)


@given(MODELS, INFERENCES)
def test_a_question_comes_back_from_the_form_as_it_was(model: Model, inference: Inference) -> None:
    settings = settings_of(model, inference)
    assert model_of(settings) == model
    assert inference_of(settings) == inference


def test_a_region_takes_its_atlas_along_and_none_takes_none() -> None:
    assert model_of(ModelSettings(region=" Hippocampus L ", atlas="aal2")).atlas == "aal2"
    assert model_of(ModelSettings(region=" ", atlas="aal2")).atlas is None


def test_corrections_without_permutations_ask_for_none() -> None:
    assert inference_of(ModelSettings(correction="fdr", permutations=5000)).permutations == 0


def test_voxelwise_covariates_without_a_column_are_refused() -> None:
    with pytest.raises(Problem, match="'gm' names no column"):
        model_of(ModelSettings(voxelwise="gm"))


def test_problems_of_fields_name_no_options_of_the_command_line() -> None:
    problem = Problem("--within", "needs to know whose scans belong together", "give --subject COL too")
    assert in_words(problem) == "Needs to know whose scans belong together; give “subject” too."
    assert in_words(Problem("x", "is none", "did you mean y?")) == "Is none; did you mean y?"

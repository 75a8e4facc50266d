"""RIDGE of 2024, for segmentation: its subjects in our words, each with what a run's records tell."""

from fetal_seg.report.checklist import data_facts as data
from fetal_seg.report.checklist import result_facts as results
from fetal_seg.report.checklist import training_facts as training
from fetal_seg.report.checklist.points import Checklist, Point, Section

RIDGE = Checklist(
    "ridge",
    "RIDGE: reproducibility, integrity, dependability, generalizability and efficiency of segmentation models, 2024",
    "F. Maleki, L. Moy, R. Forghani, et al. RIDGE: Reproducibility, Integrity, Dependability, Generalizability, and "
    "Efficiency Assessment of Medical Image Segmentation Models. Journal of Imaging Informatics in Medicine (2024)",
    "10.1007/s10278-024-01282-9",
    (
        Section(
            "Introduction",
            (
                Point("I-1", "Background, purpose, and the place in clinical work"),
                Point("I-2", "Objectives against the state of the art"),
            ),
        ),
        Section(
            "Methods: data and truth",
            (
                Point("M-1", "Prospective or retrospective"),
                Point("", "The data set and its size", (data.source, data.subset), "how cases came into it"),
                Point("M-3", "Modality, machines, protocols"),
                Point("", "Who is in the data", (data.validation_cases,), "age, and the cases of the training part"),
                Point("M-6", "How the truth was defined"),
                Point("", "Annotators, and how much they differ"),
                Point("M-9", "Annotation tools"),
                Point("", "Missing and faulty data", (data.missing_data,)),
                Point("", "Parts, and at which level they are disjoint", (data.partitions, data.leak_audit)),
                Point("", "Preparation of images", (data.preprocessing,)),
                Point("", "Augmentation", (data.augmentation,)),
            ),
        ),
        Section(
            "Methods: model and training",
            (
                Point("M-11", "Architecture, inputs, outputs", (training.network, data.preprocessing)),
                Point("", "What its weights started from", (training.initialisation,)),
                Point("M-13, M-17", "Hyperparameters", (training.optimisation, training.training)),
                Point("", "Search of hyperparameters, and choice of the model", (training.search, training.selection)),
                Point("", "Seeds", (training.seeds,)),
                Point("", "Measures, and what they are for", (data.measures,), "why these"),
                Point("", "Statistics", (results.uncertainty,), "tests against other models"),
            ),
        ),
        Section(
            "Results",
            (
                Point("", "Performance with uncertainty", (results.performance, results.agreement)),
                Point("", "Performance of groups", (results.subgroups,), "groups beside trimesters"),
                Point("", "Performance on data of another source", (results.external,)),
                Point("", "Failures", (results.worst_cases,), "why these images failed"),
                Point("", "Trust in single results", (results.flags, results.coverage, results.calibration)),
                Point("", "Cost: hardware and time", (training.hardware, training.course)),
            ),
        ),
        Section(
            "Discussion and conclusion",
            (
                Point("", "Comparison with other work"),
                Point("", "Limitations and biases"),
                Point("", "Conclusions that the results bear"),
            ),
        ),
        Section(
            "Source code",
            (
                Point("S-1", "Code, and how to run it", (training.code, training.command), "address and licence"),
                Point("", "Software and its versions", (training.software,)),
                Point("", "Trained weights", (training.weights_file,), "address and licence"),
            ),
        ),
    ),
    "RIDGE’s own item numbers stand where they are known to this program; the other points follow its sections.",
)

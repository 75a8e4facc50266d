"""CLAIM, the update of 2024: its 44 items in our words, each with what a run's records tell."""

from fetal_seg.report.checklist import data_facts as data
from fetal_seg.report.checklist import result_facts as results
from fetal_seg.report.checklist import training_facts as training
from fetal_seg.report.checklist.points import Checklist, Point, Section

CLAIM = Checklist(
    "claim",
    "CLAIM: Checklist for Artificial Intelligence in Medical Imaging, 2024 update",
    "A. S. Tejani, M. E. Klontzas, A. A. Gatti, et al. Checklist for Artificial Intelligence in Medical Imaging "
    "(CLAIM): 2024 Update. Radiology: Artificial Intelligence 6(4), e240300 (2024)",
    "10.1148/ryai.240300",
    (
        Section(
            "Title, abstract, introduction",
            (
                Point("1", "Say that it is a study of AI, and of which kind", (training.network,), "the title"),
                Point("2", "A structured abstract"),
                Point("3", "What is known, what it is needed for, and its intended use"),
                Point("4", "Aims and hypotheses"),
            ),
        ),
        Section("Study design", (Point("5", "Prospective or retrospective"), Point("6", "The goal of the study"))),
        Section(
            "Data",
            (
                Point("7", "Where the data are from", (data.source,), "hospitals, dates, and consent"),
                Point("8", "What was included and excluded", (data.subset,), "how cases came into the data set"),
                Point("9", "How images were prepared", (data.preprocessing, data.augmentation)),
                Point("10", "How a part of the data was selected", (data.subset,)),
                Point("11", "How data were de-identified"),
                Point("12", "What was done about missing data", (data.missing_data,)),
                Point("13", "How the images were acquired: machines, settings, planes"),
            ),
        ),
        Section(
            "Reference standard",
            (
                Point("14", "How the truth was defined"),
                Point("15", "Why this truth was taken"),
                Point("16", "Who annotated, with which training and tools"),
                Point("17", "How the test images were annotated"),
                Point("18", "How much annotators differ from each other and from themselves"),
            ),
        ),
        Section(
            "Partitions and test data",
            (
                Point("19", "How data were cut into parts", (data.partitions, training.seeds)),
                Point(
                    "20", "At which level the parts are disjoint", (data.leak_audit,), "whether a patient has several"
                ),
                Point("21", "How many cases the test needs", (data.partitions,), "why so many are enough"),
            ),
        ),
        Section(
            "Model",
            (
                Point("22", "The model: its inputs, layers and outputs", (training.network, data.preprocessing)),
                Point("23", "Software and its versions", (training.software, training.code)),
                Point("24", "What its weights started from", (training.initialisation,)),
            ),
        ),
        Section(
            "Training",
            (
                Point(
                    "25",
                    "How it was trained: hyperparameters, augmentation, hardware",
                    (
                        *(training.optimisation, training.training, data.augmentation),
                        *(training.seeds, training.hardware, training.course),
                    ),
                ),
                Point("26", "How the final model was chosen", (training.selection, training.search)),
                Point("27", "Ensembles", (results.runtime,)),
            ),
        ),
        Section(
            "Evaluation",
            (
                Point("28", "Measures of performance", (data.measures,), "why these"),
                Point("29", "Significance and uncertainty", (results.uncertainty,)),
                Point("30", "Robustness and sensitivity"),
                Point("31", "What explains a result to its user", (results.flags,), "pictures of it"),
                Point("32", "Performance on data of the same source", (results.performance,)),
                Point("33", "Performance on data of another source", (results.external,)),
                Point("34", "Registration, if it is a trial"),
            ),
        ),
        Section(
            "Results",
            (
                Point("35", "Cases included and excluded", (data.partitions, data.subset), "a flow diagram"),
                Point("36", "Who is in each part", (data.validation_cases,), "age, and the cases of the training part"),
                Point("37", "Performance with its uncertainty", (results.performance, results.subgroups)),
                Point(
                    "38",
                    "How precise the measurement is for diagnosis",
                    (results.agreement, results.coverage, results.calibration),
                ),
                Point("39", "Where it fails", (results.worst_cases, results.flags), "why these images failed"),
            ),
        ),
        Section("Discussion", (Point("40", "Limitations"), Point("41", "What it means for practice"))),
        Section(
            "Other",
            (
                Point("42", "The full protocol", (training.command,), "the protocol of the study"),
                Point(
                    "43",
                    "Where software, model and data can be had",
                    (training.code, training.weights_file, data.source),
                    "addresses and licences",
                ),
                Point("44", "Funding, and the role of funders"),
            ),
        ),
    ),
)

"""TRIPOD+AI of 2024: its 27 items in our words, each with what a run's records tell."""

from fetal_seg.report.checklist import data_facts as data
from fetal_seg.report.checklist import result_facts as results
from fetal_seg.report.checklist import training_facts as training
from fetal_seg.report.checklist.points import Checklist, Point, Section

TRIPOD_AI = Checklist(
    "tripod_ai",
    "TRIPOD+AI: transparent reporting of a prediction model, 2024",
    "G. S. Collins, K. G. M. Moons, P. Dhiman, et al. TRIPOD+AI statement: updated guidance for reporting clinical "
    "prediction models that use regression or machine learning methods. BMJ 385, e078378 (2024)",
    "10.1136/bmj-2023-078378",
    (
        Section(
            "Title and abstract", (Point("1", "A title that names model, population, outcome"), Point("2", "Abstract"))
        ),
        Section(
            "Introduction",
            (
                Point("3a", "The need for it in care, and models that exist"),
                Point("3b", "For whom it is meant, and who is to use it"),
                Point("3c", "Known inequalities between groups"),
                Point("4", "Objectives: development, evaluation, or both"),
            ),
        ),
        Section(
            "Methods: data",
            (
                Point("5a", "Sources of the data", (data.source, data.subset), "how representative they are"),
                Point("5b", "Dates of the data"),
                Point("6a", "Setting and centres"),
                Point("6b", "Who was eligible"),
                Point("6c", "Treatments, where they matter"),
                Point("7", "How data were prepared and checked", (data.preprocessing, data.missing_data)),
                Point("8a", "The outcome, how and when it is measured"),
                Point("8b", "Who judged it, with which training"),
                Point("8c", "Who was blinded to what"),
                Point("9a", "Why these predictors"),
                Point("9b", "The predictors, how they are measured", (data.preprocessing,), "how images were acquired"),
                Point("9c", "Who judged them, with which training"),
                Point("10", "How the number of cases was determined", (data.partitions,), "why so many are enough"),
                Point("11", "Missing data", (data.missing_data,)),
            ),
        ),
        Section(
            "Methods: analysis",
            (
                Point("12a", "How the data were used, and cut into parts", (data.partitions, data.leak_audit)),
                Point("12b", "How predictors were transformed", (data.preprocessing, data.augmentation)),
                Point(
                    "12c",
                    "The model: its kind, how it was built, tuned and validated",
                    (
                        *(training.network, training.initialisation, training.optimisation, training.training),
                        *(training.seeds, training.selection, training.search),
                    ),
                    "why this kind",
                ),
                Point("12d", "Differences between groups or centres", (results.subgroups,), "centres"),
                Point("12e", "Measures of performance", (data.measures, results.uncertainty)),
                Point("12f", "Updating after the evaluation", (results.calibration,), "whether the model was changed"),
                Point("12g", "How predictions were computed", (results.runtime, training.weights_file)),
                Point("13", "What was done about rare classes", (results.subgroups,), "whether groups were weighted"),
                Point("14", "What was done for fairness"),
                Point("15", "What the model gives, and its thresholds", (results.flags, results.coverage)),
                Point("16", "How training and evaluation data differ", (data.validation_cases,), "setting, outcome"),
                Point("17", "Ethical approval"),
            ),
        ),
        Section(
            "Open science",
            (
                Point("18a", "Funding, and the role of funders"),
                Point("18b", "Conflicts of interest"),
                Point("18c", "Where the protocol can be had", (training.command,), "the protocol of the study"),
                Point("18d", "Registration"),
                Point("18e", "Where the data can be had", (data.source,), "address and licence"),
                Point("18f", "Where the code can be had", (training.code, training.software), "address and licence"),
                Point("19", "How patients and the public were involved"),
            ),
        ),
        Section(
            "Results",
            (
                Point("20a", "The flow of participants", (data.partitions,), "a flow diagram"),
                Point("20b", "Who they are", (data.validation_cases,), "age, and the cases of the training part"),
                Point("20c", "How evaluation and development data compare", (data.leak_audit,), "important predictors"),
                Point("21", "Cases and outcomes in each analysis", (data.partitions, data.missing_data)),
                Point("22", "The full model, so that others can predict", (training.network, training.weights_file)),
                Point(
                    "23a",
                    "Performance with intervals, and of key groups",
                    (results.performance, results.subgroups, results.agreement, results.coverage, results.worst_cases),
                ),
                Point("23b", "Differences in performance between centres", (results.external,)),
                Point("24", "Results of updating", (results.calibration,), "whether the model was changed"),
            ),
        ),
        Section(
            "Discussion",
            (
                Point("25", "Interpretation, with fairness"),
                Point("26", "Limitations"),
                Point("27a", "How bad or missing input is handled in use", (results.flags,), "what its user does then"),
                Point("27b", "What its user must do and know", (training.hardware,), "training of the user"),
                Point("27c", "Next steps"),
            ),
        ),
    ),
)

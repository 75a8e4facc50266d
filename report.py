"""Compare any runs: ``python report.py runs=[outputs/sweep/A,outputs/train/B]`` writes report.html and summary.csv."""

from fetal_seg.cli.entry_points import report

if __name__ == "__main__":
    report()

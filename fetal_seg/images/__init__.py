"""Image, DICOM and video files as grey arrays that know the size of their pixels; drawing on them. Knows no torch."""

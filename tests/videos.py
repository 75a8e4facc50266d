"""Videos that tests make."""

import cv2
import numpy as np

FRAMES, HEIGHT, WIDTH = 24, 96, 128


def pictures() -> list[np.ndarray]:
    """Smooth colours that move, under a strip as bright as the frame's number says."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 6)
    moved = [np.roll(picture, 2 * number, axis=1) for number in range(FRAMES)]
    for number, one in enumerate(moved):
        one[:32] = 10 * number
    return moved


def write_video(path, code):
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 25, (WIDTH, HEIGHT))
    assert video.isOpened()
    for picture in pictures():
        video.write(picture)
    video.release()
    return path

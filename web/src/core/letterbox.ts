/** From an image at its own size to the network's size, and the way back. */
import { resizeGrey } from "./resize";
import { roundHalfEven } from "./rounding";
import type { Grey } from "./types";

/** The map of pixels (x, y) to (scaleX x + shiftX, scaleY y + shiftY). */
export interface AxisMap {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly shiftX: number;
  readonly shiftY: number;
}

/** Scales images to fit (height, width), keeps their aspect ratio, centres them on black. */
export class Letterbox {
  constructor(
    readonly height: number,
    readonly width: number,
  ) {}

  /** Scales an image to the network's size: areas are averaged, so nothing aliases. */
  apply(image: Grey): Grey {
    const { top, left, height, width } = this.window(image.height, image.width);
    const scaled = resizeGrey(image, width, height, height <= image.height ? "area" : "linear");
    const data = new Uint8Array(this.height * this.width);
    for (let row = 0; row < height; row++) {
      data.set(scaled.data.subarray(row * width, (row + 1) * width), (top + row) * this.width + left);
    }
    return { data, width: this.width, height: this.height };
  }

  /** The map from the network's pixels to those of an image (height, width). */
  toNative(height: number, width: number): AxisMap {
    const inside = this.window(height, width);
    const scaleX = width / inside.width;
    const scaleY = height / inside.height;
    return {
      scaleX,
      scaleY,
      shiftX: -((1 / scaleX - 1) / 2 + inside.left) * scaleX,
      shiftY: -((1 / scaleY - 1) / 2 + inside.top) * scaleY,
    };
  }

  /** Top, left, height and width of the scaled image in the frame, px. */
  private window(height: number, width: number): { top: number; left: number; height: number; width: number } {
    const scale = Math.min(this.height / height, this.width / width);
    const scaledHeight = Math.max(roundHalfEven(height * scale), 1);
    const scaledWidth = Math.max(roundHalfEven(width * scale), 1);
    return {
      top: Math.floor((this.height - scaledHeight) / 2),
      left: Math.floor((this.width - scaledWidth) / 2),
      height: scaledHeight,
      width: scaledWidth,
    };
  }
}
